/** Stands in for modules that Cornerstone's dependencies import and that this application never calls. */
export const create = (): never => {
  throw new Error("this part of a dependency is not in the bundle");
};
export default {};
