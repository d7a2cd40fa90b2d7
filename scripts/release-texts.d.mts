export function writeWaysIn(
  root: string,
  directory: string,
  facts: { readonly url: string; readonly version: string; readonly key: Buffer },
): void;
export function writeSums(directory: string): void;
