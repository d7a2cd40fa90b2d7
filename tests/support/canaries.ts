/** Secrets that are looked for in everything that is told or kept. */
export const canaries = {
  MCP_TOKEN: 'c1'.repeat(32),
  CLIENT_ID: 'c2'.repeat(16),
  CLIENT_SECRET: 'c3'.repeat(32),
  TOKEN_SECRET: 'c4'.repeat(32),
  OTHER_KEY: 'somebody-elses-password/+',
} as const;

/** And one that somebody wrote into a comment. */
export const canaryComment = 'a-password-in-a-comment';
