import { describe, expect, it } from "vitest";
import { VirtualClock } from "../../emulator/clock.ts";
import { MemoryOutbox, type ServiceState } from "../../host/bridge/index.ts";
import { ConnectedService, type ConnectedServiceOptions } from "../../host/bridge/service/connected-service.ts";
import type { ConnectionEvents, Delivery } from "../../host/bridge/service/connection.ts";
import { SakuraError } from "../../protocol/errors.ts";
import { settled } from "../support/held-uplink.ts";

const START = 1_491_022_270_000;

/** One connection of the service under test, as its other end sees it. */
class FakeConnection {
  readonly clientId: string;
  /** Texts as they were published; with a `+` behind those that were published again. */
  readonly published: string[] = [];
  readonly #events: ConnectionEvents;
  #open: Delivery[] = [];
  ended = false;

  constructor(clientId: string, events: ConnectionEvents) {
    this.clientId = clientId;
    this.#events = events;
  }

  publish(delivery: Delivery, again: boolean): void {
    this.published.push(`${Buffer.from(delivery.payload).toString()}${again ? "+" : ""}`);
    this.#open.push(delivery);
  }

  get inFlight(): number {
    return this.#open.length;
  }

  /** The service has so many of what waits, the oldest first; all unless told. */
  async drain(count = this.#open.length): Promise<void> {
    for (const delivery of this.#open.splice(0, count)) this.#events.onDelivered(delivery);
    await settled();
  }

  /** The service has the one at this place of what waits. */
  async acknowledge(index: number): Promise<void> {
    for (const delivery of this.#open.splice(index, 1)) this.#events.onDelivered(delivery);
    await settled();
  }

  downlink(text: string): void {
    this.#events.onDownlink(Buffer.from(text));
  }

  async lose({ afterPublish = false } = {}): Promise<void> {
    const reason = new SakuraError("SERVICE_FAILED", "it went away", { context: { reason: "connection-lost" } });
    this.#events.onLost({ reason, afterPublish });
    await settled();
  }
}

function desk(options: Partial<ConnectedServiceOptions> = {}) {
  const clock = new VirtualClock(START);
  const outbox = new MemoryOutbox(100_000_000);
  const connections: FakeConnection[] = [];
  const states: ServiceState[] = [];
  const published: string[] = [];
  const downlinks: string[] = [];
  const setAside: string[] = [];
  /** What the next tries do; a success when there is none. */
  const failures: SakuraError[] = [];
  const service = new ConnectedService({
    name: "a",
    endpoint: "cloud:8883",
    clientIds: ["me"],
    qos: 0,
    lane: outbox.lane("a"),
    clock,
    random: () => 0.5,
    addressOf: ({ module }) => ({ topic: `up/${module}` }),
    connect(clientId, events) {
      const failure = failures.shift();
      if (failure) return Promise.reject(failure);
      const connection = new FakeConnection(clientId, events);
      connections.push(connection);
      return Promise.resolve({
        publish: (delivery, again) => connection.publish(delivery, again),
        end() {
          connection.ended = true;
          return Promise.resolve();
        },
      });
    },
    ...options,
  });
  service.onState((state) => states.push(state));
  const appendOf = async (module: string, ...texts: string[]): Promise<void> => {
    for (const text of texts) await outbox.append({ module, payload: Buffer.from(text) }, ["a"]);
    await settled();
  };
  const append = (...texts: string[]): Promise<void> => appendOf("u1", ...texts);
  const start = async (): Promise<void> => {
    service.start({
      onDownlink: (payload) => downlinks.push(Buffer.from(payload).toString()),
      onPublished: ({ payload }) => published.push(Buffer.from(payload).toString()),
      onSetAside: ({ module }, reason) => setAside.push(`${module}: ${reason}`),
    });
    await settled();
  };
  /** The newest connection of a client id. */
  const at = (clientId = "me"): FakeConnection => {
    const found = connections.findLast((connection) => connection.clientId === clientId);
    if (!found) throw new Error(`${clientId} has no connection`);
    return found;
  };
  return {
    clock,
    outbox,
    service,
    connections,
    at,
    states,
    published,
    downlinks,
    setAside,
    failures,
    append,
    appendOf,
    start,
  };
}

const refused = (): SakuraError =>
  new SakuraError("SERVICE_FAILED", "nothing listens", { context: { reason: "connection-refused" } });
const numbers = (from: number, to: number): string[] =>
  Array.from({ length: to - from }, (_, index) => String(from + index));

describe("a service's connection", () => {
  it("gets what waits and what comes, and a message leaves the outbox once it is written", async () => {
    const { append, start, connections, outbox, published, states } = desk();
    await append("1", "2");
    await start();
    await append("3");
    expect(connections[0]?.published).toEqual(["1", "2", "3"]);
    expect(published).toEqual([]);
    expect(outbox.lane("a").messages).toBe(3);
    await connections[0]?.drain(2);
    expect(published).toEqual(["1", "2"]);
    expect(outbox.lane("a").messages).toBe(1);
    expect(states).toMatchObject([{ state: "online", since: START, endpoint: "cloud:8883" }]);
  });

  it("holds no more than its window", async () => {
    const { append, start, connections } = desk({ window: 3 });
    await append(...numbers(0, 10));
    await start();
    expect(connections[0]?.published).toEqual(["0", "1", "2"]);
    await connections[0]?.drain(1);
    expect(connections[0]?.published).toEqual(["0", "1", "2", "3"]);
    await connections[0]?.drain(3);
    expect(connections[0]?.published).toEqual(["0", "1", "2", "3", "4", "5", "6"]);
  });

  it("is handed again what a lost one did not write, and before what came since", async () => {
    const { append, start, clock, connections, published } = desk();
    await start();
    await append("1", "2", "3");
    await connections[0]?.drain(1);
    await connections[0]?.lose();
    await append("4");
    await clock.advance(1_500);
    expect(connections[1]?.published).toEqual(["2+", "3+", "4"]);
    // A late word from the first must not count for the second.
    await connections[0]?.drain();
    expect(published).toEqual(["1"]);
    await connections[1]?.drain();
    expect(published).toEqual(["1", "2", "3", "4"]);
  });

  it("keeps to the rate, both directions together", async () => {
    const { append, start, clock, connections, downlinks } = desk({ maxRate: 5 });
    await start();
    connections[0]?.downlink("down");
    await append(...numbers(0, 20));
    await connections[0]?.drain();
    expect(connections[0]?.published).toHaveLength(4);
    await clock.advance(999);
    expect(connections[0]?.published).toHaveLength(4);
    await clock.advance(1);
    expect(connections[0]?.published).toHaveLength(9);
    await connections[0]?.drain();
    await clock.advance(2_000);
    expect(connections[0]?.published).toEqual(numbers(0, 19));
    expect(downlinks).toEqual(["down"]);
  });
});

describe("a service that cannot connect", () => {
  it("is in error with its reason, and tried again after a wait that grows", async () => {
    const { failures, start, clock, states } = desk();
    failures.push(refused(), refused());
    await start();
    await clock.advance(1_500);
    await clock.advance(2_500);
    const error = { state: "error", since: START, failure: "connection-refused", reason: "nothing listens" };
    expect(states).toMatchObject([
      { ...error, attempts: 1, nextAttempt: START + 1_500 },
      { ...error, attempts: 1, nextAttempt: undefined },
      { ...error, attempts: 2, nextAttempt: START + 1_500 + 2_500 },
      { ...error, attempts: 2, nextAttempt: undefined },
      { state: "online", since: START + 4_000, endpoint: "cloud:8883" },
    ]);
  });

  it("is tried at once when it is told to, also while a try is under way", async () => {
    const { failures, start, clock, service, connections } = desk();
    failures.push(refused(), refused());
    await start();
    service.retry();
    await settled();
    expect(service.state()).toMatchObject({ state: "error", attempts: 2 });
    service.retry();
    await settled();
    expect(connections).toHaveLength(1);
    expect(clock.now()).toBe(START);
  });

  it("begins with a short wait again after 30 s online, and not before", async () => {
    const { failures, start, clock, service, connections } = desk();
    failures.push(refused(), refused(), refused());
    await start();
    await clock.advance(1_500 + 2_500 + 4_500);
    expect(service.state().state).toBe("online");
    await clock.advance(29_999);
    await connections[0]?.lose();
    expect(service.state()).toMatchObject({ attempts: 4, nextAttempt: clock.now() + 8_500 });
    await clock.advance(8_500);
    await clock.advance(30_000);
    await connections[1]?.lose();
    expect(service.state()).toMatchObject({ attempts: 1, nextAttempt: clock.now() + 1_500 });
  });

  it("is not woken early by a retry while it was online", async () => {
    const { start, clock, service, connections } = desk();
    await start();
    service.retry();
    await connections[0]?.lose();
    await clock.advance(1_499);
    expect(connections).toHaveLength(1);
  });
});

describe("the end of a service", () => {
  it("hands over what waits first, then says goodbye", async () => {
    const { append, start, service, connections, states } = desk({ window: 2 });
    await start();
    await append("1", "2", "3");
    const closed = service.close(1_000);
    await connections[0]?.drain();
    expect(connections[0]?.ended).toBe(false);
    await connections[0]?.drain();
    await closed;
    expect(connections[0]?.published).toEqual(["1", "2", "3"]);
    expect(connections[0]?.ended).toBe(true);
    expect(states.at(-1)).toMatchObject({ state: "stopped", since: START });
  });

  it("does not wait longer than it may for that", async () => {
    const { append, start, service, connections, clock, outbox } = desk();
    await start();
    await append("1");
    const closed = service.close(1_000);
    await clock.advance(1_000);
    await closed;
    expect(connections[0]?.ended).toBe(true);
    expect(outbox.lane("a").messages).toBe(1);
    expect(clock.pending).toBe(0);
  });

  it("comes at once when it is not connected", async () => {
    const { append, failures, start, service, clock } = desk();
    failures.push(refused());
    await append("1");
    await start();
    await service.close(1_000);
    await service.close(1_000);
    expect(clock.now()).toBe(START);
    expect(clock.pending).toBe(0);
  });

  it("comes at once when the connection is lost meanwhile", async () => {
    const { append, start, service, connections, clock } = desk();
    await start();
    await append("1");
    const closed = service.close(1_000);
    await connections[0]?.lose();
    await closed;
    expect(clock.now()).toBe(START);
    expect(connections).toHaveLength(1);
  });

  it("gives up a try that is under way", async () => {
    let signal: AbortSignal | undefined;
    const { start, service } = desk({
      connect: (_clientId, _events, given) =>
        new Promise((_resolve, reject) => {
          signal = given;
          given.addEventListener("abort", () => reject(new SakuraError("ABORTED", "given up")));
        }),
    });
    await start();
    await service.close(1_000);
    expect(signal?.aborted).toBe(true);
    expect(service.state().state).toBe("stopped");
  });
});
