/** The lanes by their names, and by their ids in the store. */
import { SakuraError } from "../../../protocol/errors.ts";
import type { Block } from "./block.ts";
import type { LaneGroup } from "./group.ts";
import { DurableLane, type LaneContent, type LaneHost } from "./lane.ts";
import { LaneQueue } from "./lane-queue.ts";

export class LaneRegistry {
  readonly #host: LaneHost;
  readonly #byName = new Map<string, DurableLane>();
  readonly #byId = new Map<number, DurableLane>();
  readonly #groups = new Map<string, LaneGroup>();
  /** Names that lanes are just losing. */
  readonly #oldNames = new Map<string, DurableLane>();
  /** Nothing before the store has been looked through. */
  #nextId: number | undefined;

  constructor(host: LaneHost) {
    this.#host = host;
  }

  get all(): Iterable<DurableLane> {
    return this.#byName.values();
  }

  get names(): readonly string[] {
    return [...this.#byName.keys()];
  }

  get size(): number {
    return this.#byName.size;
  }

  byId(id: number): DurableLane | undefined {
    return this.#byId.get(id);
  }

  lane(name: string): DurableLane {
    const existing = this.#byName.get(name) ?? this.#oldNames.get(name);
    if (existing) return existing;
    const lane = this.#named(name);
    if (this.#nextId !== undefined) this.#begin(lane);
    return lane;
  }

  /** Takes over what the store holds; lanes that were asked for before stay the same objects. */
  adopt(found: readonly (LaneContent & { readonly name: string })[], nextId: number): void {
    this.#nextId = nextId;
    const taken = new Set<string>();
    for (const content of found) {
      // Two of a name there are when one's own record was lost, and it is called as it was when its messages came.
      const name = taken.has(content.name) ? `${content.name} (lane ${content.id})` : content.name;
      taken.add(name);
      const lane = this.#named(name);
      lane.adopt(content);
      this.#byId.set(content.id, lane);
    }
    for (const lane of this.#byName.values()) {
      if (!this.#byId.has(lane.id)) this.#begin(lane);
    }
  }

  /** The lanes of these services, as one object for the same services. */
  group(services: readonly string[]): LaneGroup {
    // A name has no NUL at its front in any file.
    const key = services.length === 1 && services[0] !== undefined ? services[0] : `\0${JSON.stringify(services)}`;
    let group = this.#groups.get(key);
    if (!group) {
      group = { lanes: [...new Set(services)].map((service) => this.lane(service)) };
      this.#groups.set(key, group);
    }
    return group;
  }

  /**
   * Gives a lane another name. Until it is settled that it has it, both names are the lane's: who asks by the old one
   * meanwhile must not be given a new lane.
   */
  rename(from: string, to: string): { readonly lane: DurableLane; readonly settle: (done: boolean) => void } {
    if (this.#byName.has(to)) throw new SakuraError("INVALID_ARGUMENT", `there is a lane ${to} already`);
    const lane = this.lane(from);
    this.#move(lane, to);
    this.#oldNames.set(from, lane);
    const settle = (done: boolean): void => {
      this.#oldNames.delete(from);
      this.#groups.clear();
      if (!done && !lane.removed) this.#move(lane, from);
    };
    return { lane, settle };
  }

  #move(lane: DurableLane, to: string): void {
    this.#byName.delete(lane.name);
    this.#byName.set(to, lane);
    this.#groups.clear();
    lane.name = to;
  }

  remove(name: string): DurableLane | undefined {
    const lane = this.#byName.get(name);
    if (!lane) return undefined;
    lane.removed = true;
    this.#byName.delete(name);
    this.#byId.delete(lane.id);
    this.#groups.clear();
    return lane;
  }

  /** It could not be removed: it is there again, if its name is still free. */
  restore(lane: DurableLane): void {
    if (this.#byName.has(lane.name)) return;
    lane.removed = false;
    this.#byName.set(lane.name, lane);
    this.#byId.set(lane.id, lane);
  }

  /** Whether a lane still has something to do with a block. */
  needs(block: Block): boolean {
    return block.shares.some((share) => this.#byId.get(share.lane)?.hasDone(share) === false);
  }

  #named(name: string): DurableLane {
    const lane = this.#byName.get(name) ?? new DurableLane(name, this.#host);
    this.#byName.set(name, lane);
    return lane;
  }

  #begin(lane: DurableLane): void {
    const id = this.#nextId ?? 0;
    this.#nextId = id + 1;
    const letters = { count: 0, bytes: 0, next: 0 };
    const queue = new LaneQueue(id, this.#host.tail, 0, []);
    lane.adopt({ id, next: 0, queue, messages: 0, bytes: 0, letters, lost: 0 });
    this.#byId.set(id, lane);
    this.#host.progressed(lane);
  }
}
