/** What somebody is told of a refusal. */
import { toPublicError } from '../../src/errors.ts';

/** @returns what was made; code and message where it was refused */
export async function told(make: () => unknown): Promise<unknown> {
  try {
    return await make();
  } catch (error) {
    const { code, message } = toPublicError(error);
    return [code, message];
  }
}
