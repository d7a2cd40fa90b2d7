export function pinnedNode(architecture: string): { version: string; directory: string; executable: string };
