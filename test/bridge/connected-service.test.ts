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
    });
    await settled();
  };
  const setAside = async (): Promise<string[]> =>
    (await outbox.lane("a").listDeadLetters({ limit: 100 })).map(({ module, reason }) => `${module}: ${reason}`);
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
    await clock.advance(1_049);
    expect(connections[0]?.published).toHaveLength(4);
    await clock.advance(1);
    expect(connections[0]?.published).toHaveLength(9);
    await connections[0]?.drain();
    await clock.advance(2_100);
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

const up = { qos: 1 } as const;
const three = ["me", "me-2", "me-3"];

describe("a service at QoS 1", () => {
  it("keeps a message until it is acknowledged, in whatever order that comes", async () => {
    const { append, start, at, outbox, published } = desk(up);
    await append("1", "2", "3");
    await start();
    expect(at().published).toEqual(["1", "2", "3"]);
    await at().acknowledge(1);
    expect(published).toEqual(["2"]);
    expect(outbox.lane("a").messages).toBe(2);
    await at().drain();
    expect(outbox.lane("a").messages).toBe(0);
  });

  it("publishes again what was not acknowledged, first, in the old order and marked, and before what is newer", async () => {
    const { append, start, clock, at, published } = desk(up);
    await append("1", "2", "3");
    await start();
    await at().acknowledge(1);
    const first = at();
    await first.lose();
    await append("4");
    await clock.advance(1_500);
    expect(at().published).toEqual(["1+", "3+", "4"]);
    // A late word from the first must not count for the second.
    await first.drain();
    expect(published).toEqual(["2"]);
  });

  it("does not publish more than 100 unacknowledged, nor more than 256 KiB of large ones", async () => {
    const small = desk(up);
    await small.append(...numbers(0, 150));
    await small.start();
    expect(small.at().published).toHaveLength(100);
    const large = desk(up);
    await large.append(...new Array<string>(10).fill("x".repeat(100 * 1024)));
    await large.start();
    expect(large.at().published).toHaveLength(3);
    await large.at().drain(1);
    expect(large.at().published).toHaveLength(4);
  });

  it("is patient with a slow line, on which acknowledgements come late but in turn", async () => {
    const { append, start, clock, at, connections } = desk({ ...up, ackTimeoutMs: 4_000 });
    await append(...numbers(0, 10));
    await start();
    for (let i = 0; i < 10; i++) {
      await clock.advance(3_000);
      await at().acknowledge(0);
    }
    expect(connections).toHaveLength(1);
    expect(at().published).toEqual(numbers(0, 10));
  });

  it("does not try again what has become too old", async () => {
    const { append, start, clock, at, outbox } = desk(up);
    const lane = outbox.lane("a");
    await append("1", "2");
    await start();
    const old = "1";
    lane.dropExpired = (message) => {
      if (Buffer.from(message.payload).toString() !== old) return false;
      lane.forget(message);
      return true;
    };
    await at().lose();
    await clock.advance(1_500);
    expect(at().published).toEqual(["2+"]);
    expect(lane.messages).toBe(1);
  });

  it("gives up a connection that withholds an acknowledgement, and says for which topic", async () => {
    const { append, start, clock, at, service, connections } = desk({ ...up, ackTimeoutMs: 4_000 });
    await append("1");
    await start();
    await clock.advance(3_000);
    await append("2");
    await at().acknowledge(1);
    await clock.advance(999);
    expect(connections[0]?.ended).toBe(false);
    await clock.advance(1_001);
    expect(connections[0]?.ended).toBe(true);
    expect(service.state()).toMatchObject({ state: "error", failure: "puback-timeout", nextAttempt: START + 6_500 });
    expect(service.state()).toMatchObject({ reason: expect.stringMatching(/message to up\/u1 within 4 s/) });
    await clock.advance(1_500);
    expect(at().published).toEqual(["1+"]);
  });

  it("does not give up one that acknowledges slowly but in time", async () => {
    const { append, start, clock, at, connections } = desk(up);
    await start();
    for (let i = 0; i < 10; i++) {
      await append(String(i));
      await clock.advance(19_000);
      await at().drain();
    }
    expect(connections).toHaveLength(1);
  });

  it("waits for acknowledgements at its end, and hands over nothing new in the last part of that time", async () => {
    const { append, start, service, at, clock, outbox } = desk({ ...up, window: 2 });
    await append("1", "2", "3", "4");
    await start();
    const closed = service.close(1_000);
    await clock.advance(750);
    await at().drain(1);
    expect(at().published).toEqual(["1", "2"]);
    await at().drain(1);
    await closed;
    expect(clock.now()).toBe(START + 750);
    expect(outbox.lane("a").messages).toBe(2);
  });

  it("is taken over by another object of the same lane, which begins with what was not acknowledged", async () => {
    const { append, start, service, outbox } = desk(up);
    await append("1", "2");
    await start();
    await service.close(0);
    const next = desk({ ...up, lane: outbox.lane("a") });
    await next.start();
    expect(next.at().published).toEqual(["1", "2"]);
  });
});

describe("a message that the connection breaks on", () => {
  /** Answers each connection: closes it when the poison is in flight, acknowledges everything else. */
  async function run(
    { at, clock, connections }: ReturnType<typeof desk>,
    poison: RegExp,
    rounds: number,
  ): Promise<void> {
    for (let round = 0; round < rounds; round++) {
      const connection = at();
      if (
        connection.published.slice(-connection.inFlight).some((text) => poison.test(text)) &&
        connection.inFlight > 0
      ) {
        await connection.lose({ afterPublish: true });
        const before = connections.length;
        while (connections.length === before) await clock.advance(1_000);
      } else {
        await connection.drain();
      }
    }
  }

  it("is found among others, one at a time, and set aside once others went through in between", async () => {
    const d = desk({ ...up });
    await d.appendOf("u1", "a1", "a2");
    await d.appendOf("u2", "BAD", "b2");
    await d.appendOf("u3", "c1");
    await d.start();
    expect(d.at().published).toEqual(["a1", "a2", "BAD", "b2", "c1"]);
    await d.at().lose({ afterPublish: true });
    await d.clock.advance(1_500);
    // Alone: what is acknowledged is innocent.
    expect(d.at().published).toEqual(["a1+"]);
    await d.at().drain();
    await d.at().drain();
    expect(d.at().published).toEqual(["a1+", "a2+", "BAD+"]);
    await d.at().lose({ afterPublish: true });
    await d.clock.advance(3_000);
    // After a strike the others go first, but not what is behind it.
    expect(d.at().published).toEqual(["c1+"]);
    await run(d, /BAD/, 20);
    expect(await d.setAside()).toEqual([
      expect.stringMatching(
        /^u2: the connection was closed 3 times right after this message to up\/u2 \(3 bytes\) alone/,
      ),
    ]);
    expect(d.published).toEqual(["a1", "a2", "c1", "b2"]);
    expect(d.outbox.lane("a")).toMatchObject({ messages: 0, deadLetters: 1 });
    expect(d.service.state().state).toBe("online");
  });

  it("is blamed after ten times when nothing else goes through but something did before", async () => {
    const d = desk(up);
    await d.appendOf("u1", "good");
    await d.start();
    await d.at().drain();
    await d.appendOf("u1", "BAD", "BAD2");
    await d.at().lose({ afterPublish: true });
    await d.clock.advance(1_500);
    await run(d, /BAD/, 9);
    expect(await d.setAside()).toEqual([]);
    expect(d.outbox.lane("a").messages).toBe(2);
    await run(d, /BAD/, 1);
    expect(await d.setAside()).toHaveLength(1);
    expect(d.outbox.lane("a").messages).toBe(1);
    // One such is all that one sign of life is worth.
    await run(d, /BAD/, 40);
    expect(await d.setAside()).toHaveLength(1);
  });

  it("is never blamed while nothing has ever gone through: then it is the policy, and everything waits", async () => {
    const d = desk(up);
    await d.appendOf("u1", "BAD", "BAD2");
    await d.appendOf("u2", "BAD3");
    await d.start();
    await d.at().lose({ afterPublish: true });
    await d.clock.advance(1_500);
    await run(d, /BAD/, 60);
    expect(await d.setAside()).toEqual([]);
    expect(d.outbox.lane("a").messages).toBe(3);
  });

  it("gets no strike when the network failed", async () => {
    const d = desk(up);
    await d.appendOf("u1", "1");
    await d.start();
    for (let i = 0; i < 30; i++) {
      await d.at().lose();
      await d.clock.advance(120_000);
    }
    expect(await d.setAside()).toEqual([]);
    expect(d.at().published).toEqual(["1+"]);
  });

  it("is set aside at once when it can never be published, at QoS 0 too, and again when that fails", async () => {
    const addressOf: ConnectedServiceOptions["addressOf"] = ({ module }) =>
      module === "u1" ? { problem: "its topic is too long" } : { topic: `up/${module}` };
    const d = desk({ addressOf });
    const lane = d.outbox.lane("a");
    const keep = lane.setAside.bind(lane);
    let fails = true;
    lane.setAside = (message, reason) =>
      fails ? Promise.reject(new Error("the disk is full")) : keep(message, reason);
    await d.appendOf("u1", "1");
    await d.appendOf("u2", "2");
    await d.start();
    expect(d.at().published).toEqual(["2"]);
    expect(lane).toMatchObject({ messages: 2, deadLetters: 0 });
    fails = false;
    await d.clock.advance(10_000);
    expect(lane).toMatchObject({ messages: 1, deadLetters: 1 });
    expect(await d.setAside()).toEqual(["u1: its topic is too long"]);
  });
});

describe("a service with several connections", () => {
  it("keeps a module with one while that has its messages, and spreads the modules", async () => {
    const d = desk({ ...up, clientIds: three, window: 2 });
    await d.start();
    for (let module = 0; module < 6; module++) await d.appendOf(`u${module}`, `${module}a`);
    const modulesAt = (clientId: string): string[] => d.at(clientId).published.map((text) => text.slice(0, 1));
    expect(three.map((id) => d.at(id).inFlight)).toEqual([2, 2, 2]);
    for (let module = 0; module < 6; module++) await d.appendOf(`u${module}`, `${module}b`);
    for (const id of three) {
      await d.at(id).drain();
      expect(modulesAt(id).slice(2).sort()).toEqual(modulesAt(id).slice(0, 2).sort());
    }
  });

  it("gives what a lost one had to the others, in order", async () => {
    const d = desk({ ...up, clientIds: ["me", "me-2"], window: 2 });
    await d.start();
    await d.append("1", "2", "3", "4");
    const [busy, idle] = d.at("me").inFlight > 0 ? (["me", "me-2"] as const) : (["me-2", "me"] as const);
    expect(d.at(busy).published).toEqual(["1", "2"]);
    expect(d.at(idle).published).toEqual([]);
    await d.at(busy).lose();
    await d.at(idle).drain();
    expect(d.at(idle).published).toEqual(["1+", "2+", "3", "4"]);
  });

  it("does not read ahead without end for a module whose connection stalls", async () => {
    const d = desk({ ...up, clientIds: ["me", "me-2"], window: 1 });
    const lane = d.outbox.lane("a");
    let read = 0;
    const next = lane.next.bind(lane);
    lane.next = () => {
      const message = next();
      if (message) read++;
      return message;
    };
    await d.append(...numbers(0, 5_000));
    await d.start();
    expect(read).toBe(1_002);
  });

  it("tells once that it has stopped", async () => {
    const d = desk({ clientIds: three });
    await d.start();
    const before = d.states.length;
    await d.service.close(0);
    expect(d.states.slice(before).map(({ state }) => state)).toEqual(["stopped"]);
    expect(d.service.state().connections?.map(({ state }) => state)).toEqual(["stopped", "stopped", "stopped"]);
  });

  it("stands as the worst of them, and tells of each", async () => {
    const d = desk({ clientIds: ["me", "me-2"] });
    d.failures.push(refused());
    await d.start();
    expect(d.service.state()).toEqual({
      state: "error",
      since: START,
      failure: "connection-refused",
      reason: "nothing listens",
      attempts: 1,
      nextAttempt: START + 1_500,
      lastFailure: { failure: "connection-refused", reason: "nothing listens", at: START },
      connections: [
        {
          clientId: "me",
          state: "error",
          since: START,
          failure: "connection-refused",
          reason: "nothing listens",
          attempts: 1,
          nextAttempt: START + 1_500,
          lastFailure: { failure: "connection-refused", reason: "nothing listens", at: START },
        },
        {
          clientId: "me-2",
          state: "online",
          since: START,
          endpoint: "cloud:8883",
          attempts: 0,
          lastFailure: undefined,
        },
      ],
    });
    await d.clock.advance(1_500);
    expect(d.service.state()).toMatchObject({
      state: "online",
      since: START + 1_500,
      lastFailure: { reason: "nothing listens", at: START },
    });
  });
});

describe("what a service is told", () => {
  it("goes before all else, on the first connection, and counts in the rate", async () => {
    const d = desk({ clientIds: ["me", "me-2"], maxRate: 2 });
    d.service.tell("result", Buffer.from("early"));
    await d.start();
    d.service.tell("result", Buffer.from("t1"));
    d.service.tell("result", Buffer.from("t2"));
    await settled();
    expect(d.at("me").published).toEqual(["early", "t1"]);
    await d.clock.advance(1_050);
    expect(d.at("me").published).toEqual(["early", "t1", "t2"]);
    expect(d.at("me-2").published).toEqual([]);
    expect(d.outbox.lane("a").messages).toBe(0);
  });

  it("is kept up to a hundred, and then the oldest is given up and counted", async () => {
    const d = desk();
    for (let i = 0; i < 103; i++) d.service.tell("result", Buffer.from(String(i)));
    expect(d.service.toldLost).toBe(3);
    await d.start();
    expect(d.at().published).toEqual(numbers(3, 103));
  });

  it("is told again after a loss, but not when it was what the connection broke on", async () => {
    const d = desk(up);
    await d.start();
    d.service.tell("result", Buffer.from("t"));
    await settled();
    await d.at().lose();
    await d.clock.advance(1_500);
    expect(d.at().published).toEqual(["t+"]);
    await d.at().lose({ afterPublish: true });
    await d.clock.advance(120_000);
    expect(d.at().published).toEqual([]);
    expect(d.service.toldLost).toBe(1);
  });
});
