import { describe, expect, it, onTestFinished } from "vitest";
import { refuse } from "../../emulator/behaviour.ts";
import { listenTcp } from "../../emulator/bus/tcp.ts";
import { attachUart } from "../../emulator/bus/uart.ts";
import { realClock, VirtualClock } from "../../emulator/clock.ts";
import { EmulatedModule } from "../../emulator/module.ts";
import { MessageLog } from "../../emulator/uplink.ts";
import { type Link, type ModuleClient, moduleLink, realModuleLink } from "../../host/bridge/index.ts";
import { ModuleCommands } from "../../host/module-commands.ts";
import { flush, type SendOptions } from "../../host/send.ts";
import type { Uplink } from "../../protocol/bus.ts";
import { type CommandName, commandTable, type RequestOf, type ResponseOf } from "../../protocol/commands.ts";
import { SakuraError, type SakuraErrorCode } from "../../protocol/errors.ts";
import { decodeResponse, encodeRequest } from "../../protocol/frame.ts";
import type { DownlinkMessage, PlatformMessage } from "../../protocol/message.ts";
import { channelsOf, valuesOf } from "../support/desk.ts";
import { failsWith } from "../support/errors.ts";

/** 2017-04-01T04:51:10Z */
const START = 1_491_022_270_000;

/** A client without a wire, and what may happen to its commands. */
class Client extends ModuleCommands implements ModuleClient {
  readonly #module: EmulatedModule;
  readonly #line: Line;

  constructor(module: EmulatedModule, line: Line) {
    super();
    this.#module = module;
    this.#line = line;
  }

  override async command<N extends CommandName>(name: N, request: RequestOf<N>): Promise<ResponseOf<N>> {
    const line = this.#line;
    const lost = line.dead ? "request" : line.lose?.command === name ? line.lose.what : undefined;
    const instead = line.instead?.command === name ? line.instead.answer : undefined;
    if (lost) line.lose = undefined;
    if (instead) line.instead = undefined;
    const answer = instead ?? (lost === "request" ? undefined : this.#module.handle(encodeRequest(name, request)));
    if (answer && !lost) return decodeResponse(name, answer);
    const code = commandTable[name].repeat === "once" && !line.dead ? "OUTCOME_UNKNOWN" : "NO_ANSWER";
    throw new SakuraError(line.lostAs ?? code, "nothing came");
  }

  flush(options: SendOptions = {}): Promise<void> {
    return flush(this, this.#module.clock, options);
  }

  close(): Promise<void> {
    this.#line.closes++;
    return Promise.resolve();
  }
}

interface Line {
  /** What happens to the next such command: carried out and its answer lost, or lost itself. */
  lose: { readonly command: CommandName; readonly what: "answer" | "request" } | undefined;
  /** How the client puts that; by default as the command table has it. */
  lostAs: SakuraErrorCode | undefined;
  /** What the next such command is answered with; it does not reach the module. */
  instead: { readonly command: CommandName; readonly answer: Uint8Array } | undefined;
  /** Everything is lost. */
  dead: boolean;
  closes: number;
}

function desk({ txQueue = 32 } = {}) {
  const clock = new VirtualClock(START);
  /** What the module sends on: the platform behind it. */
  const platform = new MessageLog(clock);
  const module = new EmulatedModule({ id: "u1", uplink: platform, clock, sendTimeMs: 0, txQueue });
  const wire: Line = { lose: undefined, lostAs: undefined, instead: undefined, dead: false, closes: 0 };
  /** What the link hands to the bridge. */
  const bridge = new MessageLog(clock);
  let full = false;
  const uplink: Uplink = {
    take: (message) => (full ? Promise.reject(new SakuraError("REFUSED", "the outbox is full")) : bridge.take(message)),
  };
  const opened: ModuleClient[] = [];
  const link = moduleLink({
    module: "u1",
    port: "uart:/dev/ttyUSB0",
    pollMs: 1_000,
    clock,
    random: () => 0,
    open() {
      const client = new Client(module, wire);
      opened.push(client);
      return Promise.resolve(client);
    },
  });
  const start = async (): Promise<void> => {
    link.start(uplink);
    await clock.advance(0);
  };
  onTestFinished(() => link.close());
  return {
    clock,
    platform,
    module,
    wire,
    bridge,
    link,
    opened,
    start,
    setFull(value: boolean) {
      full = value;
    },
  };
}

const message = (...values: readonly number[]): DownlinkMessage => ({
  type: "channels",
  module: "u1",
  payload: { channels: values.map((value, channel) => ({ channel, type: "i", value })) },
});

describe("the link of a real module", () => {
  it("publishes what came down to the module, with the time at which that was", async () => {
    const { clock, module, bridge, start, link } = desk();
    module.deliver(message(1, 2));
    await clock.advance(250);
    module.deliver(message(3));
    await clock.advance(500);
    await start();
    expect(link.state()).toEqual({ state: "up", since: START + 750, endpoint: "uart:/dev/ttyUSB0" });
    expect(bridge.messages).toEqual([
      {
        module: "u1",
        type: "channels",
        datetime: "2017-04-01T04:51:10.750Z",
        payload: {
          channels: [
            { channel: 0, type: "i", value: 1, datetime: "2017-04-01T04:51:10.000Z" },
            { channel: 1, type: "i", value: 2, datetime: "2017-04-01T04:51:10.000Z" },
            { channel: 0, type: "i", value: 3, datetime: "2017-04-01T04:51:10.250Z" },
          ],
        },
      },
    ]);
  });

  it("looks again every poll_ms, and puts 16 values in a message", async () => {
    const { clock, module, bridge, start } = desk();
    await start();
    module.deliver(message(...Array.from({ length: 20 }, (_, i) => i)));
    await clock.advance(999);
    expect(bridge.messages).toEqual([]);
    await clock.advance(1);
    expect(channelsOf(bridge.messages).map((channels) => channels.length)).toEqual([16, 4]);
    expect(module.state.rxQueue).toHaveLength(0);
  });

  it("publishes each change of connection, and not how it was at the start", async () => {
    const { clock, module, bridge, start } = desk();
    await start();
    await clock.advance(1_000);
    expect(bridge.messages).toEqual([]);
    module.setOnline(false);
    await clock.advance(1_000);
    module.setOnline(true);
    await clock.advance(1_000);
    expect(bridge.messages.map(({ type, payload }) => ({ type, payload }))).toEqual([
      { type: "connection", payload: { is_online: false } },
      { type: "connection", payload: { is_online: true } },
    ]);
  });

  it("sends what comes down from the cloud, as one message", async () => {
    const { platform, start, link } = desk();
    await start();
    await link.deliver(message(1, 2, 3));
    expect(valuesOf(platform.messages)).toEqual([[1, 2, 3]]);
  });

  it("refuses it, with nothing left behind, when the module cannot send it", async () => {
    const { platform, module, start, link } = desk({ txQueue: 2 });
    await start();
    const reasonOf = async () => (await failsWith("REFUSED", link.deliver(message(1, 2)))).context;
    module.setOnline(false);
    expect(await reasonOf()).toEqual({ reason: "offline" });
    module.setOnline(true);
    const { context } = await failsWith("REFUSED", link.deliver(message(1, 2, 3)));
    expect(context).toEqual({ reason: "tx-queue-full" });
    const stop = module.override("TX_STAT", () => ({ queue: "failed", immediate: "done" }));
    module.override("TX_SEND", () => undefined);
    expect(await reasonOf()).toEqual({ reason: "send-failed" });
    stop();
    expect(module.state.txQueue).toHaveLength(0);
    expect(valuesOf(platform.messages)).toEqual([]);
  });

  it("clears what it has enqueued when a value is not taken", async () => {
    const { module, start, link } = desk();
    await start();
    let taken = 0;
    module.override("TX_ENQUEUE", (_request, next) => (++taken > 2 ? refuse("RUNTIME") : next()));
    expect((await failsWith("REFUSED", link.deliver(message(1, 2, 3)))).context).toEqual({ reason: "send-failed" });
    expect(taken).toBe(3);
    expect(module.state.txQueue).toHaveLength(0);
  });

  it("keeps what the bridge refuses, and reads no more before that is taken", async () => {
    const { clock, module, bridge, start, setFull } = desk();
    setFull(true);
    module.deliver(message(1));
    await start();
    module.deliver(message(2));
    module.setOnline(false);
    await clock.advance(5_000);
    expect(bridge.messages).toEqual([]);
    expect(module.state.rxQueue).toHaveLength(1);
    setFull(false);
    await clock.advance(1_000);
    expect(valuesOf(bridge.messages)).toEqual([[1], [2]]);
    expect(bridge.messages.map(({ type }) => type)).toEqual(["channels", "connection", "channels"]);
  });
});

describe("a change of connection that the bridge refuses", () => {
  it("is kept, and the values behind it stay in the module until it is taken", async () => {
    const { clock, module, bridge, start, setFull } = desk();
    await start();
    setFull(true);
    module.deliver(message(1));
    module.setOnline(false);
    await clock.advance(3_000);
    expect(module.state.rxQueue).toHaveLength(1);
    setFull(false);
    await clock.advance(1_000);
    expect(bridge.messages.map(({ type }) => type)).toEqual(["connection", "channels"]);
  });
});

describe("a line that loses frames", () => {
  it.each(["answer", "request"] as const)(
    "loses and doubles no value when the %s of RX_DEQUEUE is lost",
    async (what) => {
      const { clock, module, wire, bridge, start } = desk();
      await start();
      wire.lose = { command: "RX_DEQUEUE", what };
      module.deliver(message(1, 2));
      await clock.advance(10_000);
      expect(valuesOf(bridge.messages).flat()).toEqual([1, 2]);
      expect(module.state.rxQueue).toHaveLength(0);
    },
  );

  it.each(["answer", "request"] as const)(
    "loses and doubles no value when the port goes in the middle of RX_DEQUEUE, its %s lost",
    async (what) => {
      const { clock, module, wire, bridge, start, link } = desk();
      await start();
      wire.lose = { command: "RX_DEQUEUE", what };
      wire.lostAs = "PORT_LOST";
      module.deliver(message(1, 2));
      await clock.advance(1_000);
      expect(link.state().state).toBe("error");
      await clock.advance(10_000);
      expect(valuesOf(bridge.messages).flat()).toEqual([1, 2]);
      expect(module.state.rxQueue).toHaveLength(0);
    },
  );

  it("publishes a value that comes twice, twice", async () => {
    const { clock, module, wire, bridge, start } = desk();
    await start();
    wire.lose = { command: "RX_DEQUEUE", what: "answer" };
    module.deliver(message(1));
    await clock.advance(5_000);
    module.deliver(message(1));
    await clock.advance(5_000);
    expect(valuesOf(bridge.messages).flat()).toEqual([1, 1]);
  });

  it("is in error while the module does not answer, and up again when it does, with nothing forgotten", async () => {
    const { clock, module, wire, bridge, start, link, opened } = desk();
    await start();
    wire.dead = true;
    await clock.advance(1_000);
    expect(link.state()).toMatchObject({ state: "error", reason: "nothing came", attempt: 1 });
    expect((await failsWith("REFUSED", link.deliver(message(1)))).context).toEqual({ reason: "link-down" });
    module.setOnline(false);
    wire.dead = false;
    await clock.advance(500);
    expect(link.state().state).toBe("up");
    expect(bridge.messages.map(({ type }) => type)).toEqual(["connection"]);
    expect(opened).toHaveLength(2);
    expect(wire.closes).toBe(1);
  });

  it("drops what is no value, says so, and goes on behind it", async () => {
    const { clock, module, wire, bridge, start, link } = desk();
    await start();
    const states: string[] = [];
    link.onState((state) => states.push(state.state === "error" ? state.reason : state.state));
    // A value of a type "x".
    const answer = Uint8Array.of(1, 18, 0, 0x78, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x6b);
    wire.instead = { command: "RX_PEEK", answer };
    module.deliver(message(1, 2));
    await clock.advance(2_000);
    expect(states[0]).toMatch(/no value.*0x78.*it was dropped/);
    expect(states.at(-1)).toBe("up");
    expect(valuesOf(bridge.messages).flat()).toEqual([2]);
  });
});

describe("the end of a link", () => {
  it("lets go of the port, also in the middle of an opening", async () => {
    const { wire, start, link, clock } = desk();
    await start();
    await link.close();
    await link.close();
    expect(wire.closes).toBe(1);
    expect(link.state().state).toBe("stopped");
    expect(clock.pending).toBe(0);
  });
});

describe("the link of a configuration", () => {
  it("drives a module over a real line", async () => {
    const platform = new MessageLog();
    const module = new EmulatedModule({ id: "u1", uplink: platform, sendTimeMs: 0 });
    const listener = await listenTcp({ host: "127.0.0.1", port: 0 });
    onTestFinished(() => listener.close());
    listener.onConnection((duplex) => void attachUart(module, duplex));
    const link = realModuleLink(
      { id: "u1", link: "module", port: listener.uri, poll_ms: 10 },
      { clock: realClock, random: Math.random },
    );
    onTestFinished(() => link.close());
    const bridge = new MessageLog();
    module.deliver(message(7));
    link.start(bridge);
    expect(valuesOf([await next(bridge)])).toEqual([[7]]);
    await isUp(link);
    await link.deliver(message(8));
    expect(valuesOf([await next(platform)])).toEqual([[8]]);
  });

  it("does not begin with a port that is none", () => {
    const context = { clock: realClock, random: Math.random };
    expect(() => realModuleLink({ id: "u1", link: "module", port: "ttyUSB0", poll_ms: 10 }, context)).toThrow(
      /a port is/,
    );
  });
});

const next = (log: MessageLog): Promise<PlatformMessage> => log.next();

function isUp(link: Link): Promise<void> {
  return new Promise((resolve) => {
    if (link.state().state === "up") resolve();
    else
      link.onState(({ state }) => {
        if (state === "up") resolve();
      });
  });
}
