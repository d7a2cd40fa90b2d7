/** What is imported with `?text` is in the bundle as text: scripts/text-modules.mjs. */
declare module '*?text' {
  const text: string;
  export default text;
}
