import { describe, expect, it } from "vitest";
import { VirtualClock } from "../../emulator/clock.ts";
import {
  Bridge,
  type BridgeEvent,
  MemoryOutbox,
  type Service,
  type ServiceEvents,
  type ServiceState,
} from "../../host/bridge/index.ts";
import { SakuraError } from "../../protocol/errors.ts";
import { failsWith } from "../support/errors.ts";
import { settled } from "../support/held-uplink.ts";
import { channelMessage, FakeLink } from "./support.ts";

/** 2017-04-01T04:51:10Z */
const START = 1_491_022_270_000;

class FakeService implements Service {
  readonly name: string;
  closedWith: number | undefined;
  retries = 0;
  events: ServiceEvents | undefined;

  constructor(name: string) {
    this.name = name;
  }

  start(events: ServiceEvents): void {
    this.events = events;
  }
  state(): ServiceState {
    return { state: "connecting", since: START };
  }
  onState(): () => void {
    return () => undefined;
  }
  retry(): void {
    this.retries++;
  }
  close(drainMs: number): Promise<void> {
    this.closedWith = drainMs;
    return Promise.resolve();
  }
  readonly told: string[] = [];
  tell(topic: string, payload: Uint8Array): void {
    this.told.push(`${topic} ${Buffer.from(payload).toString()}`);
  }
  down(text: string): void {
    this.events?.onDownlink(Buffer.from(text));
  }
}

function desk({ maxBytes = 100_000, outbox = new MemoryOutbox(maxBytes) } = {}) {
  const clock = new VirtualClock(START);
  const u1 = new FakeLink("u1");
  const u2 = new FakeLink("u2");
  const all = new FakeService("all");
  const one = new FakeService("one");
  const bridge = new Bridge({
    links: [u1, u2],
    services: [
      { name: "all", create: () => all },
      { name: "one", modules: ["u1"], resultTopic: "result", create: () => one },
    ],
    outbox,
    clock,
  });
  const events: BridgeEvent[] = [];
  bridge.onEvent((event) => events.push(event));
  bridge.start();
  const of = <T extends BridgeEvent["type"]>(type: T) =>
    events.filter((event): event is Extract<BridgeEvent, { type: T }> => event.type === type);
  const waiting = (name: string): string[] => {
    const texts: string[] = [];
    const lane = outbox.lane(name);
    for (let next = lane.next(); next; next = lane.next()) texts.push(Buffer.from(next.payload).toString());
    return texts;
  };
  return { bridge, clock, u1, u2, all, one, events, of, waiting };
}

const down = (module: string, value: number): string =>
  `{"type":"channels","module":"${module}","payload":{"channels":[{"channel":1,"type":"i","value":${value}}]}}`;

describe("a message on its way up", () => {
  it("goes to the services of its module, the same bytes, with the time at which it was taken", async () => {
    const { u1, u2, clock, waiting, of } = desk();
    await u1.send(1);
    await clock.advance(1_234);
    await u2.send(2);
    const first =
      '{"module":"u1","type":"channels","datetime":"2017-04-01T04:51:10.000Z","payload":{"channels":[{"channel":0,"type":"i","value":1,"datetime":"2018-06-21T01:10:57.770Z"}]}}';
    const second =
      '{"module":"u2","type":"channels","datetime":"2017-04-01T04:51:11.234Z","payload":{"channels":[{"channel":0,"type":"i","value":2,"datetime":"2018-06-21T01:10:57.770Z"}]}}';
    expect(waiting("all")).toEqual([first, second]);
    expect(waiting("one")).toEqual([first]);
    expect(of("message").map(({ services }) => services)).toEqual([["all", "one"], ["all"]]);
  });

  it("carries its link's id, whatever it says", async () => {
    const { u1, waiting } = desk();
    await u1.take(channelMessage("u2", 1));
    expect(waiting("one")).toEqual([expect.stringContaining('"module":"u1"')]);
  });

  it("is refused by every service when one has no room, and the module is told", async () => {
    // Room for one message, of 163 bytes and 128 more.
    const { u1, u2, waiting, of, bridge } = desk({ maxBytes: 300 });
    await u2.send(1);
    const error = await failsWith("REFUSED", u1.send(2));
    expect(error.context).toEqual({ reason: "outbox-full", module: "u1" });
    expect(waiting("all")).toHaveLength(1);
    expect(waiting("one")).toEqual([]);
    expect(of("message-refused")).toMatchObject([{ module: "u1", reason: "outbox-full" }]);
    expect(bridge.stats().uplink).toEqual({ accepted: 1, refused: 1, unrouted: 0, nonFinite: 0 });
  });

  it("is refused when the outbox fails, and the next is taken", async () => {
    const memory = new MemoryOutbox(100_000);
    let broken = true;
    const append = memory.append.bind(memory);
    memory.append = (...given) =>
      broken ? Promise.reject(new SakuraError("PORT_FAILED", "disk full")) : append(...given);
    const { u1, waiting } = desk({ outbox: memory });
    expect((await failsWith("REFUSED", u1.send(1))).context).toMatchObject({ reason: "outbox-failed" });
    broken = false;
    await u1.send(2);
    expect(waiting("all")).toHaveLength(1);
  });

  it("counts values that JSON cannot hold", async () => {
    const { u1, waiting, bridge } = desk();
    const datetime = "2018-06-21T01:10:57.770Z";
    await u1.take({
      module: "u1",
      type: "channels",
      payload: {
        channels: [
          { channel: 0, type: "d", value: Number.NaN, datetime },
          { channel: 1, type: "d", value: 0.5, datetime },
          { channel: 2, type: "f", value: Number.POSITIVE_INFINITY, datetime },
        ],
      },
    });
    expect(waiting("all")[0]).toContain('"value":null');
    expect(bridge.stats().uplink.nonFinite).toBe(2);
  });

  it("is too large past 128 KB", async () => {
    const { u1 } = desk({ maxBytes: 10_000_000 });
    const { context } = await failsWith(
      "REFUSED",
      u1.take({
        module: "u1",
        type: "channels",
        payload: { channels: [{ channel: 0, type: "i", value: 1, datetime: "2".repeat(131_072) }] },
      }),
    );
    expect(context).toMatchObject({ reason: "too-large" });
  });

  it("is accepted and counted when no service is for its module", async () => {
    const clock = new VirtualClock(START);
    const outbox = new MemoryOutbox(1_000);
    const u2 = new FakeLink("u2");
    const service = { name: "one", modules: ["u1"], create: () => new FakeService("one") };
    const bridge = new Bridge({ links: [u2], services: [service], outbox, clock });
    bridge.start();
    await u2.send(1);
    expect(bridge.stats().uplink).toEqual({ accepted: 1, refused: 0, unrouted: 1, nonFinite: 0 });
  });
});

describe("a message on its way down", () => {
  it("goes to the module that it names, in order", async () => {
    const { all, u1, u2, of, bridge } = desk();
    all.down(down("u1", 1));
    all.down(down("u2", 2));
    all.down(down("u1", 3));
    await settled();
    const valuesOf = (link: FakeLink) =>
      link.delivered.flatMap(({ payload }) => payload.channels.map(({ value }) => value));
    expect(valuesOf(u1)).toEqual([1, 3]);
    expect(valuesOf(u2)).toEqual([2]);
    expect(of("downlink").map(({ accepted }) => accepted)).toEqual([true, true, true]);
    expect(bridge.stats().downlink).toEqual({ accepted: 3, refused: 0, waiting: 0, refusals: {} });
  });

  it.each([
    ["no JSON", "invalid-message", /not JSON/],
    ['{"type":"channels"}', "invalid-message", /^module: /],
    [
      '{"type":"channels","module":"u1","payload":{"channels":[{"channel":1,"type":"i","value":2147483648}]}}',
      "invalid-message",
      /^payload\.channels\[0\]\.value: /,
    ],
    [down("u9", 1), "unknown-module", /no module u9 in service one/],
    [down("u2", 1), "unknown-module", /no module u2 in service one/],
    ["\xff\xfe", "invalid-message", /not JSON/],
  ])("is refused with the reason: %s", async (text, reason, words) => {
    const { one, of, u1, bridge } = desk();
    one.down(text);
    one.down(down("u1", 7));
    await settled();
    const [refused, next] = of("downlink");
    expect(refused).toMatchObject({ service: "one", accepted: false, reason, message: expect.stringMatching(words) });
    expect(next).toMatchObject({ accepted: true });
    expect(u1.delivered).toHaveLength(1);
    expect(bridge.stats().downlink).toEqual({ accepted: 1, refused: 1, waiting: 0, refusals: { [reason]: 1 } });
  });

  it("is refused with the link's own reason", async () => {
    const { all, u1, of } = desk();
    u1.accept = () =>
      Promise.reject(new SakuraError("REFUSED", "the RX queue is full", { context: { reason: "rx-queue-full" } }));
    all.down(down("u1", 1));
    await settled();
    u1.accept = () => Promise.reject(new Error("a defect"));
    all.down(down("u1", 1));
    await settled();
    expect(of("downlink")).toMatchObject([
      { accepted: false, module: "u1", reason: "rx-queue-full", message: "the RX queue is full" },
      { accepted: false, module: "u1", reason: "failed", message: "a defect" },
    ]);
  });

  it("waits for the one before it, and for no other link", async () => {
    const { all, u1, u2 } = desk();
    let take = (): void => undefined;
    u1.accept = () => new Promise((resolve) => (take = resolve));
    all.down(down("u1", 1));
    all.down(down("u1", 2));
    all.down(down("u2", 3));
    await settled();
    expect([u1.delivered.length, u2.delivered.length]).toEqual([0, 1]);
    take();
    await settled();
    expect(u1.delivered).toHaveLength(1);
    take();
    await settled();
    expect(u1.delivered).toHaveLength(2);
  });

  it("is given up when the link does not take it in 30 s, and the next has its turn", async () => {
    const { all, u1, of, clock } = desk();
    let signal: AbortSignal | undefined;
    u1.accept = (_message, given) => {
      signal = given;
      return new Promise(() => undefined);
    };
    all.down(down("u1", 1));
    await settled();
    u1.accept = () => Promise.resolve();
    all.down(down("u1", 2));
    await clock.advance(30_000);
    expect(signal?.aborted).toBe(true);
    expect(of("downlink")).toMatchObject([{ accepted: false, reason: "timeout" }, { accepted: true }]);
    expect(clock.pending).toBe(0);
  });

  it("has room again behind those that were delivered", async () => {
    const { all, u1, of } = desk();
    for (let value = 0; value < 250; value++) {
      all.down(down("u1", value));
      await settled();
    }
    expect(u1.delivered).toHaveLength(250);
    expect(of("downlink").every(({ accepted }) => accepted)).toBe(true);
  });

  it("is refused when a hundred wait already", async () => {
    const { all, u1, of } = desk();
    u1.accept = () => new Promise(() => undefined);
    for (let value = 0; value < 101; value++) all.down(down("u1", value));
    await settled();
    expect(of("downlink")).toMatchObject([{ accepted: false, reason: "link-busy" }]);
  });
});

describe("the end of a bridge", () => {
  it("closes links, then services, and reports what was not sent", async () => {
    const { bridge, u1, all, one, of } = desk();
    await u1.send(1);
    await u1.send(2);
    await bridge.close();
    await bridge.close();
    expect(u1.state().state).toBe("stopped");
    expect([all.closedWith, one.closedWith]).toEqual([1_200, 1_200]);
    expect(of("unsent")).toEqual([
      { type: "unsent", service: "all", messages: 2 },
      { type: "unsent", service: "one", messages: 2 },
    ]);
  });

  it("refuses what comes meanwhile, and what still waits", async () => {
    const { bridge, u1, u2, all, of } = desk();
    u1.accept = () => new Promise(() => undefined);
    all.down(down("u1", 1));
    all.down(down("u1", 2));
    await settled();
    const closed = bridge.close();
    expect((await failsWith("REFUSED", u2.send(1))).context).toMatchObject({ reason: "closing" });
    await closed;
    expect(of("downlink")).toMatchObject([
      { accepted: false, reason: "closing" },
      { accepted: false, reason: "closing" },
    ]);
  });

  it("comes within 5 s though nothing lets go", async () => {
    const { bridge, clock, u1, all } = desk();
    u1.close = () => new Promise(() => undefined);
    all.close = () => new Promise(() => undefined);
    const closed = bridge.close();
    await clock.advance(4_000);
    await closed;
    expect(clock.pending).toBe(0);
  });
});

describe("a bridge", () => {
  it("has settled when every link has", async () => {
    const { bridge } = desk();
    await bridge.settled();
    expect(bridge.stats().links).toEqual([
      { module: "u1", kind: "emulated", state: { state: "up", since: 0, endpoint: "fake:u1" } },
      { module: "u2", kind: "emulated", state: { state: "up", since: 0, endpoint: "fake:u2" } },
    ]);
  });

  it("has a service try again", () => {
    const { bridge, all, one } = desk();
    bridge.retry("one");
    expect([all.retries, one.retries]).toEqual([0, 1]);
    expect(() => bridge.retry("two")).toThrow("there is no service two");
  });

  it("tells how everything stood at the start", () => {
    const { events } = desk();
    expect(events.map((event) => event.type)).toEqual(["service", "service", "link", "link", "link", "link"]);
  });
});
