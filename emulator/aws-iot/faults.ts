/** The faults of a running endpoint: what is set, and what happens at once. */
import type { Clock } from "../../protocol/bus.ts";
import { SakuraError } from "../../protocol/errors.ts";
import { type EndpointFaultSpec, noEndpointFaults } from "./fault-spec.ts";
import type { Objection, Rule } from "./rules.ts";

/** To rehearse what a network and a broker may do. All times in ms of the endpoint's clock. */
export interface EndpointFaults {
  /** Replaces what was set; counts begin anew. */
  set(spec: EndpointFaultSpec): void;
  /** Ends every connection now, without a word. @returns how many there were */
  drop(): number;
  /**
   * For so long every CONNECT is refused as AWS refuses: the connection is closed without an answer. 0 ends it.
   * @throws SakuraError INVALID_ARGUMENT for a negative time
   */
  refuse(ms: number): void;
  /**
   * For so long nothing listens on the port, so that a TCP connection is refused; connections that are there stay.
   * 0 listens again now. Where another program has taken the port meanwhile, it is tried again each second.
   * @throws SakuraError INVALID_ARGUMENT for a negative time
   */
  stopListening(ms: number): void;
}

export interface FaultActions {
  /** Ends every connection with this. @returns how many */
  readonly endAll: (why: Objection) => number;
  readonly stopListening: (ms: number) => void;
}

export class Faults implements EndpointFaults {
  readonly #clock: Clock;
  readonly #actions: FaultActions;
  #spec: EndpointFaultSpec = noEndpointFaults;
  #setAt: number;
  #acknowledged = 0;
  #refuseUntil = Number.NEGATIVE_INFINITY;

  constructor(clock: Clock, actions: FaultActions) {
    this.#clock = clock;
    this.#actions = actions;
    this.#setAt = clock.now();
  }

  set(spec: EndpointFaultSpec): void {
    this.#spec = spec;
    this.#setAt = this.#clock.now();
    this.#acknowledged = 0;
  }

  drop(): number {
    return this.#actions.endAll({ reason: "fault", message: "a fault: every connection was dropped" });
  }

  refuse(ms: number): void {
    requireTime(ms);
    this.#refuseUntil = this.#clock.now() + ms;
  }

  stopListening(ms: number): void {
    requireTime(ms);
    this.#actions.stopListening(ms);
  }

  readonly rule: Rule = {
    connect: () =>
      this.#clock.now() < this.#refuseUntil
        ? { reason: "fault", message: "a fault: CONNECTs are refused for now" }
        : undefined,
  };

  /** The end of a connection that has sent so many publishes. */
  dropsAfter(publishes: number): Objection | undefined {
    const after = this.#spec["drop-after"];
    if (after === undefined || publishes < after) return undefined;
    return { reason: "fault", message: `a fault: dropped after ${publishes} publishes` };
  }

  /** Whether the PUBACK that is due is kept back. */
  keepsPubackBack(): boolean {
    const { "no-puback": every, "no-puback-for": ms } = this.#spec;
    if (ms !== undefined && this.#clock.now() < this.#setAt + ms) return true;
    return every !== undefined && ++this.#acknowledged % every === 0;
  }

  keepsSubackBack(): boolean {
    return this.#spec["no-suback"] === true;
  }

  /** How much later everything comes, in ms. */
  get delay(): number {
    return this.#spec.delay;
  }
}

function requireTime(ms: number): void {
  if (ms >= 0 && Number.isFinite(ms)) return;
  throw new SakuraError("INVALID_ARGUMENT", `a time in ms, 0 or more, is needed, not ${ms}`);
}
