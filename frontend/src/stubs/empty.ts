/** Stands in for a module that is imported by a dependency and never called in a browser. */
export default {};
