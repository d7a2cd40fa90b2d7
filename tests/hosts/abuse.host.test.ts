/** The installed service, asked for what it must refuse: one table for each subject. */
import { accessTokens } from './abuse/bearer.ts';
import { authorize } from './abuse/authorize.ts';
import { clients } from './abuse/client.ts';
import { codes } from './abuse/code.ts';
import { consent } from './abuse/consent.ts';
import { forms } from './abuse/form.ts';
import { framing, lines, sizes } from './abuse/http.ts';
import { addresses, methods } from './abuse/methods.ts';
import { origins, places } from './abuse/places.ts';
import { redirect } from './abuse/redirect.ts';
import { refreshTokens } from './abuse/refresh.ts';
import { abuse } from './support/abuse.ts';

abuse('abuse', {
  'A redirect URI:': redirect,
  'An authorization request:': authorize,
  'A consent:': consent,
  'A token request with': clients,
  'A token request’s form:': forms,
  'A code:': codes,
  'A refresh token:': refreshTokens,
  'An access token:': accessTokens,
  'An access token shown': places,
  'A request to /mcp': origins,
  'The method': methods,
  'The address': addresses,
  'Of a request:': framing,
  'A size:': sizes,
  'To the socket:': lines,
});
