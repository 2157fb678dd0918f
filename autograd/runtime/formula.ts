/**
 * Values that are computed when somebody reads them. An elementwise operation on large tensors leaves a
 * formula; a chain of them is worked through block by block, so that what lies between stays in the cache
 * and needs no memory of its own.
 *
 * A formula reads what its operands held when it was made, whatever becomes of them later: it holds their
 * {@linkcode Source}s, and an edit in place of values that a formula has yet to read goes to other memory
 * (memory.ts).
 *
 * @module
 */
import { openPool } from "./instance.ts";
import { type Cell, clock, comeBack, heapCell, openToken, takeCell } from "./pool.ts";
import type { Token } from "./tokens.ts";

/** A kernel of the values in one place: of one or two arrays, or numbers as arrays of length 1, and the result. */
export type ElementwiseKernel = (...arrays: Float64Array[]) => void;

/** How many values are worked on at a time: those of a few arrays fit into the first cache or two. */
const BLOCK = 4096;
/** A formula of more operations has its operands computed: they must not pile up. */
const MOST_OPERATIONS = 24;
/** One of more arrays likewise: a sum over a loop must not hold all that was added. */
const MOST_ARRAYS = 4;

let sources = 0;

/** The values of a storage at one moment: in memory, or to be computed. */
export class Source {
  /** Its number. */
  readonly id: number = ++sources;
  /** Where they are; `null` until they are computed. */
  cell: Cell | null;
  /** Keeps the block. */
  token: Token | null;
  /** What computes them; `null` once they are in memory. */
  formula: Formula | null;
  /** How many formulas have yet to read them. */
  readers = 0;
  /** Whether a computation of something else that passes through keeps them. */
  keeps = false;
  /** The last computation that came here. */
  visit = 0;
  /** The last step of the present computation that reads them. */
  lastUse = 0;
  /** Where the present computation has them. */
  place: Place | null = null;

  constructor(cell: Cell | null, token: Token | null, formula: Formula | null) {
    this.cell = cell;
    this.token = token;
    this.formula = formula;
  }
}

interface Formula {
  readonly kernel: ElementwiseKernel;
  readonly operands: readonly (Source | number)[];
  /** How many values there are. */
  readonly length: number;
  /** How many operations it takes. */
  readonly operations: number;
  /** The sources in memory that it reads, by number. */
  readonly arrays: readonly number[];
}

/** The values that a kernel will make of these, each of as many values or a number. */
export function sourceOf(
  kernel: ElementwiseKernel,
  operands: readonly (Source | number)[],
  length: number,
): Source {
  let operations = operationsOf(operands);
  let arrays = arraysOf(operands);
  if (operations > MOST_OPERATIONS || arrays.length > MOST_ARRAYS) {
    for (const operand of operands) if (isPending(operand)) compute(operand);
    operations = 1;
    arrays = arraysOf(operands);
  }
  for (const operand of operands) if (typeof operand !== "number") operand.readers++;
  return new Source(null, null, { kernel, operands, length, operations, arrays });
}

function operationsOf(operands: readonly (Source | number)[]): number {
  let count = 1;
  for (const operand of operands) if (isPending(operand)) count += operand.formula!.operations;
  return count;
}

function arraysOf(operands: readonly (Source | number)[]): number[] {
  const found: number[] = [];
  for (const operand of operands) {
    if (typeof operand === "number") continue;
    if (operand.formula === null) addTo(found, operand.id);
    else for (const id of operand.formula.arrays) addTo(found, id);
  }
  return found;
}

function addTo(found: number[], id: number): void {
  if (!found.includes(id)) found.push(id);
}

function isPending(operand: Source | number): operand is Source {
  return typeof operand !== "number" && operand.formula !== null;
}

let visits = 0;

/** Computes the values of a source that has a formula. */
export function compute(source: Source): void {
  const steps = stepsOf(source, ++visits, []);
  const kept = steps.filter((step) => step === source || step.keeps);
  for (const step of kept) makeRoom(step);
  // What is passed through twice is computed but twice.
  for (const step of steps) step.keeps = true;
  run(steps, source.formula!.length);
  for (const step of kept) {
    for (const operand of step.formula!.operands) {
      if (typeof operand !== "number") operand.readers--;
    }
    step.formula = null;
  }
}

/** The sources to be computed, each after those that it needs. */
function stepsOf(source: Source, visit: number, found: Source[]): Source[] {
  source.visit = visit;
  for (const operand of source.formula!.operands) {
    if (isPending(operand) && operand.visit !== visit) stepsOf(operand, visit, found);
  }
  found.push(source);
  return found;
}

function makeRoom(step: Source): void {
  const { length } = step.formula!;
  step.cell = takeCell(length) ?? heapCell(length);
  step.token = openToken;
}

/** Where the values of a source are: in an array as a whole, or in a register, which holds those of one block. */
interface Place {
  readonly array: Float64Array;
  readonly isRegister: boolean;
  /** Those of the present block. */
  part: Float64Array;
}

interface Instruction {
  readonly kernel: ElementwiseKernel;
  readonly operands: readonly Place[];
  readonly out: Place;
}

function run(steps: readonly Source[], length: number): void {
  if (steps.length === 1) {
    const [{ formula, cell }] = steps;
    const inputs = formula!.operands.map((operand) =>
      typeof operand === "number" ? Float64Array.of(operand) : valuesIn(operand.cell!)
    );
    return formula!.kernel(...inputs, cell!.values);
  }
  const { program, places } = translated(steps);
  for (let start = 0; start < length;) {
    // The last block takes what would be too little for one of its own.
    const end = length - start < 2 * BLOCK ? length : start + BLOCK;
    for (const place of places) {
      if (!place.isRegister) place.part = part(place.array, start, end - start);
      else if (place.part.length !== end - start) place.part = part(place.array, 0, end - start);
    }
    for (const { kernel, operands, out } of program) {
      if (operands.length === 1) kernel(operands[0].part, out.part);
      else kernel(operands[0].part, operands[1].part, out.part);
    }
    start = end;
  }
}

function part({ buffer, byteOffset }: Float64Array, start: number, length: number): Float64Array {
  return new Float64Array(buffer, byteOffset + 8 * start, length);
}

/** The steps with their places: what is not kept shares registers with what is no longer needed. */
function translated(steps: readonly Source[]): { program: Instruction[]; places: Place[] } {
  steps.forEach(({ formula }, i) => {
    for (const operand of formula!.operands) if (typeof operand !== "number") operand.lastUse = i;
  });
  const places: Place[] = [];
  const free = [...registers];
  const program = steps.map((step, i): Instruction => {
    const { kernel, operands } = step.formula!;
    const inputs = operands.map((operand) => placeOf(operand, places));
    const register = step.cell === null ? free.pop() ?? newRegister() : null;
    const out = register === null ? placeOf(step, places) : newPlace(register, true);
    if (register !== null) places.push(step.place = out);
    for (const operand of operands) {
      if (typeof operand === "number" || operand.lastUse !== i || operand.place === null) continue;
      if (operand.place.isRegister) free.push(operand.place.array);
      operand.place = null;
    }
    return { kernel, operands: inputs, out };
  });
  steps[steps.length - 1].place = null;
  return { program, places };
}

/** The place of a number or of values in memory, found before or new. */
function placeOf(operand: Source | number, places: Place[]): Place {
  if (typeof operand === "number") return newPlace(Float64Array.of(operand), false);
  if (operand.place === null) {
    places.push(operand.place = newPlace(valuesIn(operand.cell!), false));
  }
  return operand.place;
}

function newPlace(array: Float64Array, isRegister: boolean): Place {
  return { array, isRegister, part: array };
}

/** The values in a block, which comes back if it had moved out. */
function valuesIn(cell: Cell): Float64Array {
  if (cell.movedOut) comeBack(cell);
  cell.used = clock;
  return cell.values;
}

/** Memory for the values of one block each, for good. */
const registers: Float64Array[] = [];

function newRegister(): Float64Array {
  const pool = openPool()!;
  const pointer = pool.take(2 * BLOCK * 8);
  const register = pointer === 0
    ? new Float64Array(2 * BLOCK)
    : new Float64Array(pool.buffer, pointer, 2 * BLOCK);
  registers.push(register);
  return register;
}
