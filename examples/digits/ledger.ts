/**
 * Who moved what: the state of batch norm layers, compared after each event.
 */
import type { nn, Tensor } from "../../mod.ts";

/** The events that are told apart. */
export const EVENTS = ["forward", "optimizer", "evaluation"] as const;
export type Event = typeof EVENTS[number];

/** The state that a layer has: learned above, tracked below. */
export const QUANTITIES = ["weight", "bias", "runningMean", "runningVar"] as const;
export type Quantity = typeof QUANTITIES[number];

/** How often an event moved a quantity, and how far in all. */
export interface Movement {
  times: number;
  /** The sum of the root mean squares of its steps. */
  distance: number;
}

/** What a ledger has booked. */
export interface LedgerState {
  readonly events: Record<Event, number>;
  readonly moves: Record<string, Movement>;
}

/** Watches batch norm layers. */
export class Ledger {
  /** How often each event took place. */
  readonly events: Record<Event, number> = { forward: 0, optimizer: 0, evaluation: 0 };
  readonly #last = new Map<Tensor, Float64Array>();
  readonly #moves = new Map<string, Movement>();

  readonly layers: readonly [string, nn.BatchNorm][];

  constructor(layers: readonly [string, nn.BatchNorm][]) {
    this.layers = layers;
    this.#compare(null);
  }

  /** Books everything that has moved since the last call on an event. */
  book(event: Event): void {
    this.events[event]++;
    this.#compare(event);
  }

  /** What an event did to a quantity of a layer. */
  movement(layer: string, quantity: Quantity, event: Event): Movement {
    const key = `${layer}.${quantity}.${event}`;
    const found = this.#moves.get(key) ?? { times: 0, distance: 0 };
    this.#moves.set(key, found);
    return found;
  }

  /** How often an event moved a quantity, in all layers together. */
  times(quantities: readonly Quantity[], event: Event): number {
    let times = 0;
    for (const [name] of this.layers) {
      for (const quantity of quantities) times += this.movement(name, quantity, event).times;
    }
    return times;
  }

  /** What was booked, to be kept with a checkpoint. */
  state(): LedgerState {
    return { events: { ...this.events }, moves: Object.fromEntries(this.#moves) };
  }

  /** Goes on from what was booked, and from the layers as they are now. */
  restore({ events, moves }: LedgerState): void {
    Object.assign(this.events, events);
    this.#moves.clear();
    for (const [key, movement] of Object.entries(moves)) this.#moves.set(key, movement);
    this.#compare(null);
  }

  #compare(event: Event | null): void {
    for (const [name, layer] of this.layers) {
      for (const quantity of QUANTITIES) {
        const values = layer[quantity]?.data;
        if (values === undefined) continue;
        const before = this.#last.get(layer[quantity]!);
        if (before !== undefined && event !== null) {
          const step = rootMeanSquare(before, values);
          const movement = this.movement(name, quantity, event);
          if (step > 0) {
            movement.times++;
            movement.distance += step;
          }
        }
        this.#last.set(layer[quantity]!, values.slice());
      }
    }
  }
}

function rootMeanSquare(before: Float64Array, after: Float64Array): number {
  let squares = 0;
  for (let i = 0; i < after.length; i++) squares += (after[i] - before[i]) ** 2;
  return Math.sqrt(squares / after.length);
}
