/** Questions on a terminal. Loaded only when one is asked. */
import type { Writable } from 'node:stream';
import { isatty } from 'node:tty';
import type { Asker } from '../effects/scope.ts';
import type { Product } from '../products/product.ts';

export interface AskerOptions {
  /** Ends an open question as if it were declined: a signal must not wait for an answer. */
  readonly signal: AbortSignal;
  /** Where the question is shown. */
  readonly output: Writable;
}

/**
 * A terminal that hangs up answers no question: that ends the question. It has no modes left to set either, of which Node
 * would make an error that nobody could handle.
 */
function hangUp(): AbortSignal {
  const { stdin } = process;
  const set = stdin.setRawMode.bind(stdin);
  stdin.setRawMode = (on) => (isatty(stdin.fd) ? set(on) : stdin);
  const controller = new AbortController();
  for (const event of ['end', 'close', 'error']) stdin.once(event, () => controller.abort());
  return controller.signal;
}

export function createAsker(product: Product, { signal, output }: AskerOptions): Asker {
  const load = () => import('@clack/prompts');
  const at = { signal: AbortSignal.any([signal, hangUp()]), output };
  return {
    settings: async (subjects, current) => {
      const { text, isCancel } = await load();
      const answers: Record<string, string> = {};
      for (const key of subjects) {
        const spec = product.settings.find((setting) => setting.key === key);
        if (spec === undefined) continue;
        const preset = current[key] ?? spec.default ?? '';
        const answer = await text({
          ...at,
          message: `${spec.description} (${spec.option})`,
          placeholder: preset === '' ? 'leave empty for none' : preset,
          defaultValue: preset,
          validate: (value) => {
            const judged = value === undefined || value === '' ? null : spec.validate(value);
            return judged === null || judged.ok ? undefined : judged.why;
          },
        });
        if (isCancel(answer)) return null;
        const judged = answer === '' ? null : spec.validate(answer);
        if (judged?.ok === true) answers[key] = judged.value;
      }
      return answers;
    },
    confirm: async (question) => {
      const { confirm, note, isCancel } = await load();
      note(question.subjects.join('\n'), question.text, { output });
      const answer = await confirm({
        ...at,
        message: 'Go on?',
        initialValue: question.id === 'packages',
      });
      return !isCancel(answer) && answer;
    },
    edits: async (question) => {
      const { select, note, isCancel } = await load();
      note(question.subjects.join('\n'), question.text, { output });
      const answer = await select({
        ...at,
        message: 'What shall be done?',
        options: [
          {
            value: 'keep' as const,
            label: 'Keep the edited files; lay the new ones beside them as NAME.mcp-new',
          },
          { value: 'replace' as const, label: 'Replace them; a backup is kept' },
          { value: 'stop' as const, label: 'Stop; change nothing' },
        ],
      });
      return isCancel(answer) || answer === 'stop' ? null : answer;
    },
  };
}
