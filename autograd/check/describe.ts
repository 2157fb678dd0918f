/** Values as errors show them. */

/** A value as errors show it; never throws, whatever the value does when it is looked at. */
export function describe(value: unknown): string {
  if (value === null || value === undefined) return String(value);
  if (typeof value === "bigint") return `bigint ${value}n`;
  if (typeof value !== "object" && typeof value !== "function") {
    return `${typeof value} ${shortened(String(value))}`;
  }
  try {
    if (Array.isArray(value)) return `an array of ${value.length}`;
    if (typeof value === "function") return `function ${value.name || "without a name"}`;
    const kind = kindOf(value);
    const article = /^[AEIOU]/.test(kind) ? "an" : "a";
    const { shape } = value as { shape?: unknown };
    return Array.isArray(shape)
      ? `${article} ${kind} of shape [${shape.join(", ")}]`
      : `${article} ${kind}`;
  } catch {
    return "an object that cannot be shown";
  }
}

/** A value itself where it is short and plain, as in `got dim 0.5`; else as {@linkcode describe}. */
export function show(value: unknown): string {
  const isPlain = typeof value !== "object" && typeof value !== "function";
  if (value === null || isPlain) return shortened(String(value));
  try {
    const isFlat = Array.isArray(value) && value.length <= 16 &&
      value.every((item) => typeof item === "number" || typeof item === "string");
    if (isFlat) return String(value);
  } catch {
    // What cannot be looked at is described.
  }
  return describe(value);
}

/** As {@linkcode show}, with text in quotes: what was given may be the wrong kind of value or the wrong word. */
export function quoted(value: unknown): string {
  return typeof value === "string" ? JSON.stringify(value) : show(value);
}

function shortened(text: string): string {
  return text.length <= 60 ? text : `${text.slice(0, 57)}…`;
}

/**
 * The name of an object's class. Layers and schedules have it in a static `kind` of their own, because
 * minifiers rename classes; a user's class goes by its `name`.
 */
export function kindOf(instance: object): string {
  const { constructor } = instance as { constructor?: unknown };
  if (typeof constructor !== "function") return "object";
  const named = constructor as { kind?: unknown; name?: unknown };
  const kind: unknown = Object.hasOwn(constructor, "kind") ? named.kind : named.name;
  return typeof kind === "string" && kind !== "" ? kind : "object";
}
