/** Tests run the built command line: it is built once before them. */
import { buildForHosts } from '../hosts/support/form.ts';

export default buildForHosts;
