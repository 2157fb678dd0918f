/**
 * Layers that are declared by their options: what an option defaults to says what it accepts.
 */
import { kindOf } from "../../autograd/internal.ts";
import { checkChoice, checkFlag, checkNumber, checkTensor, layerOptions } from "./arguments.ts";
import { Module } from "./module.ts";
import { pythonArguments, pythonFloat, pythonName } from "./repr.ts";

/** Options with the values that they have when left out, in the order in which errors list them. */
export type Defaults<Options> = { readonly [Key in keyof Options]-?: Options[Key] };

/**
 * Keeps options as fields of a layer. Where the default is a number or a switch, so is the option;
 * where it is a word, the option is one of `words`; where it is `null`, a tensor, which becomes a
 * buffer.
 *
 * @throws {TypeError} if an option is of the wrong kind. @throws {RangeError} for NaN and other words.
 */
export function keepOptions(
  layer: Module,
  given: object | null | undefined,
  defaults: object,
  words: readonly string[] = [],
): void {
  const kind = kindOf(layer);
  const fields = layer as unknown as Record<string, unknown>;
  for (const [name, fallback] of Object.entries(defaults)) {
    const value = (given as Record<string, unknown> | null)?.[name] ?? fallback;
    if (fallback === null) {
      fields[name] = layer.registerBuffer(pythonName(name), checkTensor(kind, name, value));
      continue;
    }
    if (typeof fallback === "number") checkNumber(kind, name, value);
    else if (typeof fallback === "boolean") checkFlag(kind, name, value);
    else checkChoice(kind, name, value as string, words);
    fields[name] = value;
  }
}

/** @internal A layer whose options are its fields, and printed; the first of them may stand alone. */
export abstract class DeclaredLayer<Options extends object> extends Module {
  private readonly optionNames: readonly string[];

  constructor(
    given: Options | number | string | null | undefined,
    defaults: Defaults<Options>,
    words?: readonly string[],
  ) {
    super();
    const names = Object.keys(defaults) as (keyof Options & string)[];
    this.optionNames = names;
    keepOptions(this, layerOptions(kindOf(this), given, names, names[0]), defaults, words);
  }

  /** The arguments as `toString()` shows them. */
  override extraRepr(): string {
    const fields = this as unknown as Record<string, unknown>;
    return pythonArguments(Object.fromEntries(this.optionNames.map((name) => {
      const value = fields[name];
      return [pythonName(name), typeof value === "number" ? pythonFloat(value) : `'${value}'`];
    })));
  }
}
