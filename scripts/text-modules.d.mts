import type { Plugin } from 'esbuild';

/** The text that an import of `file` with `?text` stands for. */
export declare function textOf(file: string): Promise<string>;

/** For esbuild. */
export declare const textModules: Plugin;
