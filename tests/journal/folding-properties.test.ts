/** What later runs know does not depend on where runs ended or were killed, and what was written is what is read. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Fact } from '../../src/facts.ts';
import { emptyMemory, memoryFor, remember, type Memory } from '../../src/memory.ts';
import { Journal } from '../../src/journal/journal.ts';
import { parseJournal } from '../../src/journal/record.ts';
import { memoryOf, runOf } from '../../src/journal/reader.ts';
import { journalText } from '../support/journal-text.ts';
import { cases } from '../support/cases.ts';
import { anyFact } from '../support/facts.ts';

/** A name that every object has, too. */
const product = { name: 'constructor', service: 'x.service', envFile: '/etc/x/.env' };

/** A run that ends after these facts: what the next one inherits, and its journal as text. */
function runWith(facts: readonly Fact[], inherited: Memory, lastId: string | null) {
  const journal = new Journal({
    machine: { id: 'installer', version: '1' },
    installer: '0.1.0',
    command: 'install',
    input: {},
    inherited,
    lastId,
  });
  for (const fact of facts) journal.fact(fact);
  return { journal, text: journalText(journal.records) };
}

const facts = fc.array(anyFact, { maxLength: 30 });

test('a journal that is read is what was recorded, and folds to what the run knew', () => {
  fc.assert(
    fc.property(facts, (all) => {
      const { journal, text } = runWith(all, memoryFor(emptyMemory, product), null);
      const parsed = parseJournal(text);
      expect(parsed).toEqual({ records: journal.records, torn: false, damage: null, writtenBy: null });
      expect(memoryOf(runOf(journal.run, parsed))).toEqual(journal.memory);
    }),
    cases,
  );
});

test('cut at any byte, it is the records before the cut, and folds to what was known then', () => {
  fc.assert(
    fc.property(facts, fc.nat(), (all, somewhere) => {
      const { journal, text } = runWith(all, memoryFor(emptyMemory, product), null);
      const bytes = Buffer.from(text);
      const end = somewhere % (bytes.length + 1);
      const cut = bytes.subarray(0, end).toString();
      const whole = cut.split('\n').length - 1;
      const parsed = parseJournal(cut);
      expect(parsed.records).toEqual(journal.records.slice(0, whole));
      expect([parsed.damage, parsed.torn]).toEqual([null, cut !== '' && !cut.endsWith('\n')]);
      const known = all.slice(0, Math.max(whole - 1, 0));
      const expected = known.reduce(
        (memory, fact) => remember(memory, journal.run, fact),
        memoryFor(emptyMemory, product),
      );
      if (whole > 0) expect(memoryOf(runOf(journal.run, parsed))).toEqual(expected);
    }),
    cases,
  );
});

test('facts split among runs at any place leave the same to know as in one run, but for what one of them revokes', () => {
  fc.assert(
    fc.property(
      facts.map((all) => all.filter(({ fact }) => fact !== 'revoked')),
      fc.nat(),
      (all, somewhere) => {
        const at = somewhere % (all.length + 1);
        const start = memoryFor(emptyMemory, product);
        const whole = runWith(all, start, null).journal.memory;
        const first = runWith(all.slice(0, at), start, null).journal;
        // Through the text: what the next run inherits stands in the first record of its journal.
        const inherited = memoryOf(runOf(first.run, parseJournal(journalText(first.records))));
        const second = runWith(all.slice(at), memoryFor(inherited, product), first.run).journal;
        const merged = (memory: Memory) => ({
          ...memory,
          // Two runs that owe the same are two entries.
          owed: [...new Set(memory.owed.map(({ what, unit }) => `${what} ${unit}`))].toSorted(),
        });
        expect(merged(second.memory)).toEqual(merged(whole));
        expect(second.run > first.run).toBe(true);
      },
    ),
    cases,
  );
});

test('a run of another product between two leaves what is known of the first as it was', () => {
  fc.assert(
    fc.property(facts, facts, (own, others) => {
      const before = runWith(own, memoryFor(emptyMemory, product), null).journal.memory;
      const other = { name: 'y', service: 'y.service', envFile: '/etc/y/.env' };
      const between = runWith(others, memoryFor(before, other), null).journal.memory;
      const after = memoryFor(between, product);
      // What is owed, packages and the installer's version are the host's.
      const { owed, packagesRequested, installer } = before;
      expect({ ...after, owed, packagesRequested, installer, others: {} }).toEqual(before);
    }),
    cases,
  );
});
