export function releaseFacts(root: string): { readonly version: string; readonly day: string };
