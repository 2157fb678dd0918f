/** Stands where a step of the course leaves something to you. */
export class Blank extends Error {
  override readonly name = "Blank";
}

/** Says what belongs in its place. */
export function blank(what: string): never {
  throw new Blank(what);
}
