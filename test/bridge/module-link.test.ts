import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, it, onTestFinished } from "vitest";
import { refuse } from "../../emulator/behaviour.ts";
import { openPty, type PtyEndpoint } from "../../emulator/bus/pty.ts";
import { listenTcp, type TcpEndpoint } from "../../emulator/bus/tcp.ts";
import { attachUart } from "../../emulator/bus/uart.ts";
import { realClock, VirtualClock } from "../../emulator/clock.ts";
import { EmulatedModule } from "../../emulator/module.ts";
import { MessageLog } from "../../emulator/uplink.ts";
import { type Link, type LinkNote, type ModuleClient, moduleLink, realModuleLink } from "../../host/bridge/index.ts";
import { ModuleCommands } from "../../host/module-commands.ts";
import { flush, type SendOptions } from "../../host/send.ts";
import type { Uplink } from "../../protocol/bus.ts";
import { type CommandName, commandTable, type RequestOf, type ResponseOf } from "../../protocol/commands.ts";
import { SakuraError, type SakuraErrorCode } from "../../protocol/errors.ts";
import { decodeResponse, encodeRequest } from "../../protocol/frame.ts";
import type { DownlinkMessage, PlatformMessage } from "../../protocol/message.ts";
import { valuesOf } from "../support/desk.ts";
import { failsWith } from "../support/errors.ts";
import { HeldUplink } from "../support/held-uplink.ts";
import { StateLog } from "../support/link-states.ts";

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
    const instead = line.instead[0]?.command === name ? line.instead.shift()?.answer : undefined;
    if (lost) line.lose = undefined;
    const answer = instead ?? (lost === "request" ? undefined : this.#module.handle(encodeRequest(name, request)));
    if (answer && !lost) return decodeResponse(name, answer);
    const code = commandTable[name].repeat === "once" && !line.dead ? "OUTCOME_UNKNOWN" : "NO_ANSWER";
    throw new SakuraError(line.lostAs ?? code, "nothing came");
  }

  flush(options: SendOptions = {}): Promise<void> {
    return flush(this, this.#module.clock, options);
  }

  onState(): () => void {
    return () => undefined;
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
  /** What the next such commands are answered with; they do not reach the module. */
  readonly instead: { readonly command: CommandName; readonly answer: Uint8Array }[];
  /** Everything is lost. */
  dead: boolean;
  closes: number;
}

function desk({ txQueue = 32, mirrors = false } = {}) {
  const clock = new VirtualClock(START);
  /** What the module sends on: the platform behind it. */
  const platform = new MessageLog(clock);
  const module = new EmulatedModule({ id: "u1", uplink: platform, clock, sendTimeMs: 0, txQueue });
  const wire: Line = { lose: undefined, lostAs: undefined, instead: [], dead: false, closes: 0 };
  /** What the link hands to the bridge. */
  const bridge = new MessageLog(clock);
  let full = false;
  const uplink: Uplink = {
    take: (message) => (full ? Promise.reject(new SakuraError("REFUSED", "the outbox is full")) : bridge.take(message)),
  };
  const opened: ModuleClient[] = [];
  const notes: LinkNote[] = [];
  /** Another process's, too: it knows nothing of the one before. */
  const makeLink = (): Link =>
    moduleLink({
      module: "u1",
      port: "uart:/dev/ttyUSB0",
      pollMs: 1_000,
      mirrors,
      clock,
      random: () => 0,
      open() {
        const client = new Client(module, wire);
        opened.push(client);
        return Promise.resolve(client);
      },
    });
  const link = makeLink();
  const start = async (): Promise<void> => {
    link.start(uplink, (note) => notes.push(note));
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
    notes,
    makeLink,
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
    const published = (channel: number, value: number, datetime: string) => ({
      module: "u1",
      type: "channels",
      datetime: "2017-04-01T04:51:10.750Z",
      payload: { channels: [{ channel, type: "i", value, datetime }] },
    });
    expect(bridge.messages).toEqual([
      published(0, 1, "2017-04-01T04:51:10.000Z"),
      published(1, 2, "2017-04-01T04:51:10.000Z"),
      published(0, 3, "2017-04-01T04:51:10.250Z"),
    ]);
  });

  it("looks again every poll_ms, and takes everything that is there", async () => {
    const { clock, module, bridge, start } = desk();
    await start();
    module.deliver(message(...Array.from({ length: 20 }, (_, i) => i)));
    await clock.advance(999);
    expect(bridge.messages).toEqual([]);
    await clock.advance(1);
    expect(valuesOf(bridge.messages)).toEqual(Array.from({ length: 20 }, (_, i) => [i]));
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

  it("may wait for the link when the port went before anything of it had gone", async () => {
    const { wire, start, link } = desk();
    await start();
    wire.dead = true;
    wire.lostAs = "PORT_LOST";
    expect((await failsWith("REFUSED", link.deliver(message(1)))).context).toEqual({ reason: "link-down" });
  });

  it("leaves nothing for the next one when the port goes in the middle of it", async () => {
    const { wire, module, clock, start, link, platform } = desk();
    await start();
    const stop = module.override("TX_ENQUEUE", (_request, next) => {
      wire.dead = true;
      wire.lostAs = "PORT_LOST";
      return next();
    });
    expect((await failsWith("REFUSED", link.deliver(message(1, 2)))).context).toEqual({ reason: "send-failed" });
    expect(module.state.txQueue).toHaveLength(1);
    stop();
    await clock.advance(1_000);
    wire.dead = false;
    await clock.advance(10_000);
    expect(link.state().state).toBe("up");
    await link.deliver(message(3));
    expect(valuesOf(platform.messages)).toEqual([[3]]);
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

  it("leaves in the module what the bridge refuses, and reads no more before that is taken", async () => {
    const { clock, module, bridge, start, setFull } = desk();
    setFull(true);
    module.deliver(message(1));
    await start();
    module.deliver(message(2));
    module.setOnline(false);
    await clock.advance(5_000);
    expect(bridge.messages).toEqual([]);
    expect(module.state.rxQueue).toHaveLength(2);
    setFull(false);
    await clock.advance(1_000);
    expect(valuesOf(bridge.messages)).toEqual([[1], [2]]);
    expect(bridge.messages.map(({ type }) => type)).toEqual(["connection", "channels", "channels"]);
  });

  it("says whether what goes through the bridge's own API is to be published, too", () => {
    expect(desk({ mirrors: true }).link.mirrors).toBe(true);
    expect(desk().link.mirrors).toBe(false);
    const context = { clock: realClock, random: Math.random };
    const config = { id: "u1", link: "module", port: "tcp:127.0.0.1:1", poll_ms: 10, mirror: true } as const;
    expect(realModuleLink(config, context).mirrors).toBe(true);
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

  it("does not take a value's twin for the value itself", async () => {
    const { clock, module, wire, bridge, start } = desk();
    await start();
    wire.lose = { command: "RX_DEQUEUE", what: "answer" };
    const entry = { channel: 0, type: "i", value: 1 } as const;
    module.deliver({ ...message(), payload: { channels: [entry, entry] } });
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

  // A value of a type "x".
  const noValue = Uint8Array.of(1, 18, 0, 0x78, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x6b);

  it("drops what is no value, says so, and goes on behind it", async () => {
    const { clock, module, wire, bridge, start, link } = desk();
    await start();
    const states: string[] = [];
    link.onState((state) => states.push(state.state === "error" ? state.reason : state.state));
    wire.instead.push({ command: "RX_PEEK", answer: noValue }, { command: "RX_DEQUEUE", answer: noValue });
    module.deliver(message(2));
    await clock.advance(2_000);
    expect(states[0]).toMatch(/no value.*0x78.*it was dropped/);
    expect(states.at(-1)).toBe("up");
    expect(valuesOf(bridge.messages).flat()).toEqual([2]);
  });

  it("does not lose a value that was shown damaged", async () => {
    const { clock, module, wire, bridge, start, link } = desk();
    await start();
    wire.instead.push({ command: "RX_PEEK", answer: noValue });
    module.deliver(message(1, 2));
    await clock.advance(2_000);
    expect(link.state().state).toBe("up");
    expect(valuesOf(bridge.messages).flat()).toEqual([1, 2]);
  });
});

describe("a module whose RX queue somebody else reads, too", () => {
  it("has what was handed out instead published as well, and the operator told", async () => {
    const { clock, module, bridge, start, notes } = desk();
    await start();
    let others = 1;
    module.override("RX_DEQUEUE", (_request, next) => {
      // Another program's has just come in between.
      if (others-- > 0) next();
      return next();
    });
    module.deliver(message(1, 2, 3));
    await clock.advance(2_000);
    expect(valuesOf(bridge.messages).flat()).toEqual([1, 2, 3]);
    expect(notes).toEqual([
      { note: "rx-queue-changed", message: expect.stringMatching(/^module u1 handed out another value.*alone/) },
    ]);
  });

  it("has it kept when the bridge refuses it, and published before anything else", async () => {
    const { clock, module, bridge, start, setFull } = desk();
    await start();
    module.override("RX_DEQUEUE", (_request, next) => {
      if (module.state.rxQueue.length < 3) return next();
      setFull(true);
      next();
      return next();
    });
    module.deliver(message(1, 2, 3));
    await clock.advance(3_000);
    expect(valuesOf(bridge.messages).flat()).toEqual([1]);
    setFull(false);
    module.setOnline(false);
    await clock.advance(1_000);
    expect(bridge.messages.map(({ type }) => type)).toEqual(["channels", "channels", "connection", "channels"]);
    expect(valuesOf(bridge.messages).flat()).toEqual([1, 2, 3]);
  });

  it("may be empty when its value is taken", async () => {
    const { clock, module, bridge, start, notes, link } = desk();
    await start();
    module.override("RX_DEQUEUE", () => refuse("RUNTIME"));
    module.deliver(message(1));
    await clock.advance(1_000);
    expect(valuesOf(bridge.messages).flat()).toEqual([1]);
    expect(notes.map(({ note }) => note)).toEqual(["rx-queue-changed"]);
    module.override("RX_PEEK", () => refuse("RUNTIME"));
    await clock.advance(1_000);
    expect(notes).toHaveLength(1);
    expect(link.state().state).toBe("up");
  });
});

describe("a bridge that is killed", () => {
  it("between keeping a value and taking it out of the module publishes it twice", async () => {
    const { clock, module, wire, bridge, start, link, makeLink } = desk();
    await start();
    module.deliver(message(1, 2));
    // The process is gone with its RX_DEQUEUE, and with all that it knew.
    wire.lose = { command: "RX_DEQUEUE", what: "request" };
    wire.lostAs = "PORT_LOST";
    await clock.advance(1_000);
    expect(valuesOf(bridge.messages).flat()).toEqual([1]);
    await link.close();
    const next = makeLink();
    onTestFinished(() => next.close());
    next.start(bridge);
    await clock.advance(0);
    expect(valuesOf(bridge.messages).flat()).toEqual([1, 1, 2]);
    expect(module.state.rxQueue).toHaveLength(0);
  });

  const commands = ["GET_CONNECTION_STATUS", "RX_LENGTH", "RX_PEEK", "RX_DEQUEUE"] as const;
  const accident = fc.record({
    command: fc.constantFrom(...commands),
    what: fc.constantFrom("answer" as const, "request" as const),
    lostAs: fc.constantFrom(undefined, "PORT_LOST" as const),
    /** Which of these commands it befalls, from then on. */
    skip: fc.nat(5),
    /** Whether the process goes with it. */
    killed: fc.boolean(),
    full: fc.boolean(),
    arriving: fc.nat(3),
  });

  it("or whose line breaks, anywhere and again and again, publishes every value, in order, once or twice", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(accident, { maxLength: 12 }), async (accidents) => {
        const clock = new VirtualClock(START);
        const module = new EmulatedModule({ id: "u1", clock, rxQueue: 255 });
        const wire: Line = { lose: undefined, lostAs: undefined, instead: [], dead: false, closes: 0 };
        const bridge = new MessageLog(clock);
        let full = false;
        const uplink: Uplink = {
          take: (taken) => (full ? Promise.reject(new SakuraError("REFUSED", "full")) : bridge.take(taken)),
        };
        const open = () => Promise.resolve(new Client(module, wire));
        const options = { module: "u1", port: "uart:/dev/ttyUSB0", pollMs: 100, clock, random: () => 0, open };
        let link = moduleLink(options);
        let sent = 0;
        let doubles = 0;
        link.start(uplink);
        for (const { command, what, lostAs, skip, killed, arriving, ...rest } of accidents) {
          full = rest.full;
          let left = skip;
          const stop = module.override(command, (_request, next) => {
            if (left-- === 0) {
              wire.lose = { command, what };
              wire.lostAs = lostAs;
            }
            return next();
          });
          for (let i = 0; i < arriving; i++) module.deliver(message(sent++));
          await clock.advance(killed ? 150 : 700);
          stop();
          if (!killed) continue;
          // A kill takes nothing back, and leaves nothing that is known.
          doubles++;
          wire.dead = true;
          const closed = link.close();
          await clock.advance(1_000);
          await closed;
          wire.dead = false;
          link = moduleLink(options);
          link.start(uplink);
        }
        full = false;
        wire.lose = undefined;
        await clock.advance(10_000);
        await link.close();
        const values = valuesOf(bridge.messages).flat();
        const once = values.filter((value, i) => value !== values[i - 1]);
        expect(once).toEqual(Array.from({ length: sent }, (_, i) => i));
        expect(values.length - once.length).toBeLessThanOrEqual(doubles + accidents.length);
        expect(module.state.rxQueue).toHaveLength(0);
      }),
      { numRuns: 60 },
    );
  });
});

describe("the end of a link", () => {
  it("lets a value be taken to its end, so that it is not published again", async () => {
    const clock = new VirtualClock(START);
    const module = new EmulatedModule({ id: "u1", clock });
    const wire: Line = { lose: undefined, lostAs: undefined, instead: [], dead: false, closes: 0 };
    const bridge = new HeldUplink();
    const open = () => Promise.resolve(new Client(module, wire));
    const link = moduleLink({ module: "u1", port: "uart:/dev/ttyUSB0", pollMs: 100, clock, random: () => 0, open });
    link.start(bridge);
    await clock.advance(0);
    module.deliver(message(1, 2));
    await clock.advance(100);
    const closed = link.close();
    await bridge.accept();
    await closed;
    expect(valuesOf(bridge.offered)).toEqual([[1]]);
    expect(module.state.rxQueue.map(({ entry }) => entry.value)).toEqual([2]);
    expect(clock.pending).toBe(0);
  });

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
      { id: "u1", link: "module", port: listener.uri, poll_ms: 10, mirror: false },
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

  it.skipIf(process.platform === "win32")(
    "survives that its port is pulled in the middle of a command and put in again",
    async () => {
      const directory = mkdtempSync(join(tmpdir(), "sakuraio-link-"));
      onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
      const place = join(directory, "port");
      const module = new EmulatedModule({ id: "u1", sendTimeMs: 0 });
      const plug = async (): Promise<PtyEndpoint> => {
        const pty = await openPty({ link: place });
        attachUart(module, pty.duplex);
        onTestFinished(() => pty.close());
        return pty;
      };
      const port = await plug();
      const link = realModuleLink(
        { id: "u1", link: "module", port: `uart:${place}`, poll_ms: 10, mirror: false },
        { clock: realClock, random: () => 0 },
      );
      onTestFinished(() => link.close());
      const bridge = new MessageLog();
      const states = new StateLog(link);
      // Carried out, and its answer goes with the port.
      const stop = module.override("RX_DEQUEUE", (_request, next) => {
        void port.close();
        return next();
      });
      module.deliver(message(1, 2));
      link.start(bridge);
      await states.next("error");
      stop();
      await plug();
      await states.next("up");
      module.deliver(message(3));
      for (const value of [1, 2, 3]) expect(valuesOf([await next(bridge)])).toEqual([[value]]);
    },
  );

  it.skipIf(process.platform === "win32")(
    "is down as soon as its port has gone, long before the next poll",
    async () => {
      const pty = await openPty();
      attachUart(new EmulatedModule({ id: "u1" }), pty.duplex);
      const link = realModuleLink(
        { id: "u1", link: "module", port: `uart:${pty.path}`, poll_ms: 3_600_000, mirror: false },
        { clock: realClock, random: () => 0 },
      );
      onTestFinished(() => link.close());
      const states = new StateLog(link);
      link.start(new MessageLog());
      await states.next("up");
      await pty.close();
      await states.next("error");
    },
  );

  it("survives that a serial device server goes in the middle of a command and comes back", async () => {
    const module = new EmulatedModule({ id: "u1", sendTimeMs: 0 });
    const serve = async (port: number): Promise<TcpEndpoint> => {
      const listener = await listenTcp({ host: "127.0.0.1", port });
      onTestFinished(() => listener.close());
      listener.onConnection((duplex) => void attachUart(module, duplex));
      return listener;
    };
    const server = await serve(0);
    const link = realModuleLink(
      { id: "u1", link: "module", port: server.uri, poll_ms: 10, mirror: false },
      { clock: realClock, random: () => 0 },
    );
    onTestFinished(() => link.close());
    const bridge = new MessageLog();
    const states = new StateLog(link);
    let closed: Promise<void> | undefined;
    // Not carried out, and never answered.
    const stop = module.override("RX_DEQUEUE", () => {
      closed ??= server.close();
      return refuse("BUSY");
    });
    module.deliver(message(1, 2));
    link.start(bridge);
    await states.next("error");
    stop();
    await closed;
    await serve(Number(server.uri.split(":").at(-1)));
    await states.next("up");
    module.deliver(message(3));
    for (const value of [1, 2, 3]) expect(valuesOf([await next(bridge)])).toEqual([[value]]);
  });

  it("does not begin with a port that is none", () => {
    const context = { clock: realClock, random: Math.random };
    expect(() =>
      realModuleLink({ id: "u1", link: "module", port: "ttyUSB0", poll_ms: 10, mirror: false }, context),
    ).toThrow(/a port is/);
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
