/** Writing to stdout and stderr. Loads next to nothing: `--version` needs it too. */
import { errnoOf } from '../errno.ts';
import { InstallerError } from '../errors.ts';

export interface Sink {
  readonly stream: NodeJS.WriteStream;
  readonly write: (text: string) => void;
  /** After everything was handed over: the system's code where text was lost, null where it was not. */
  lost(): Promise<string | null>;
}

function sinkOf(stream: NodeJS.WriteStream): Sink {
  let lost: string | null = null;
  let closed = false;
  // A reader that went away (`| head -1`) wanted no more: that loses nothing, and must not end a run half way.
  const note = (error: unknown): void => {
    if (errnoOf(error) === 'EPIPE') closed = true;
    else if (!closed) lost ??= errnoOf(error);
  };
  const write = (text: string, done?: () => void): void => {
    try {
      // To a file Node writes at once and throws; to a pipe the error comes by the event.
      stream.write(text, (error) => {
        if (error != null) note(error);
        done?.();
      });
    } catch (error) {
      note(error);
      done?.();
    }
  };
  stream.on('error', note);
  return {
    stream,
    write: (text) => write(text),
    lost: () => new Promise((resolve) => write('', () => resolve(lost))),
  };
}

let stdout: Sink | null = null;
let stderr: Sink | null = null;

export const standardOutput = (): Sink => (stdout ??= sinkOf(process.stdout));
export const standardError = (): Sink => (stderr ??= sinkOf(process.stderr));

/**
 * The exit code of a command whose report may have been lost on a full disk: a script must not take for done what it
 * cannot know. A failure keeps its code.
 */
export async function afterWriting(exitCode: number, changed: boolean): Promise<number> {
  const lost = await standardOutput().lost();
  if (lost === null) return exitCode;
  const remedy = changed ? {} : { remedy: 'Nothing was changed; make room, and run this again.' };
  const error = new InstallerError('E_OUTPUT', { why: lost, ...remedy });
  standardError().write(`[ERROR] ${error.code}: ${error.message}\n        ${error.remedy}\n`);
  if (exitCode !== 0 && exitCode !== 2) return exitCode;
  return changed ? 13 : 10;
}
