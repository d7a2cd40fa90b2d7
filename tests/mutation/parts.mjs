/**
 * What is mutated, part by part, with the tests that see it in their own process. `score`: what it must keep, in percent;
 * null where it has not been measured yet.
 */

export const parts = {
  env: {
    mutate: ['src/effects/env-*.ts'],
    tests: ['effects/env-*', 'commands/env-readers'],
    score: 90,
  },
  files: {
    mutate: ['src/effects/host/{atomic-file,dry-run,make-directory,memory,real,remove-tree,resolve}.ts'],
    tests: ['effects/{atomic-file,host-contract,host-files,host-memory,host-paths,host-races}'],
    score: null,
  },
  programs: {
    mutate: ['src/effects/host/{commands,http,stoppable}.ts'],
    tests: ['effects/host-{http,programs}'],
    score: null,
  },
  validators: {
    mutate: ['src/products/validators.ts', 'src/products/mcp-oauth-proxy/settings.ts'],
    tests: ['products/settings*'],
    score: 90,
  },
  plan: {
    mutate: ['src/effects/plan.ts', 'src/effects/plan/*.ts', 'src/effects/undoing/*.ts'],
    // Rules by themselves first; then the whole runs that see reloads and undoing, in two minutes. More of them would take
    // longer than Stryker waits for its first run.
    tests: [
      'effects/plan/*',
      'effects/{hand-edits,source,undoing}',
      'products/two-products',
      'library/install',
    ],
    score: null,
  },
  machines: {
    mutate: ['src/machines/*.ts'],
    // Without paths.test.ts, which takes longer than all the others together.
    tests: [
      'machines/ways',
      'machines/loading',
      'machines/{decisions,guards,outcome,provide,replay,shape,words}',
    ],
    score: 95,
  },
  journal: {
    mutate: ['src/journal/*.ts'],
    tests: [
      'journal/{attempt,copies,durable,exported,files,fingerprint,ids,lock}',
      'journal/records',
      'journal/runs',
      'journal/shape',
      'journal/{folding-properties,for-undoing,journal,past,reading,retention}',
      'library/install',
      'effects/undoing',
    ],
    score: 95,
  },
};
