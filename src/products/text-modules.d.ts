/** The build puts text files into the bundle: nothing beside it is read at run time. */
declare module '*.py' {
  const text: string;
  export default text;
}
