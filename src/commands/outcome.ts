/** The outcome of a run as its command calls it. */

const installed: Readonly<Record<string, string>> = { rollback: 'undone', uninstall: 'uninstalled' };

/** The machine calls every run installed that did what it was asked for, an undoing too. */
export const outcomeWord = (command: string | null, outcome: string): string =>
  (outcome === 'installed' ? installed[command ?? ''] : undefined) ?? outcome;
