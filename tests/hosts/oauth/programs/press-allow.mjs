/** A person's browser: `press-allow.mjs URL` opens an authorization URL, presses Allow, and goes where it is sent. */
import { consent } from './browser.mjs';

const [address] = process.argv.slice(2);
const answer = await fetch(await consent(address));
process.stdout.write(`${answer.status} ${await answer.text()}\n`);
