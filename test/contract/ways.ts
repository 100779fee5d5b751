/** Every way to a module: the contract holds over each. */
import { attachBusPirate } from "../../emulator/bus/bus-pirate.ts";
import { openPty } from "../../emulator/bus/pty.ts";
import { attachUart } from "../../emulator/bus/uart.ts";
import { filesInMemory } from "../../emulator/files.ts";
import { EmulatedModule } from "../../emulator/module.ts";
import { MessageLog } from "../../emulator/uplink.ts";
import { SakuraModule } from "../../host/module.ts";
import { i2cExchange } from "../../host/transport/i2c.ts";
import { spiExchange } from "../../host/transport/spi.ts";
import { I2cWire, SpiWire } from "../support/wire.ts";
import { asciiBytes } from "../vectors/bytes.ts";

/** A module that is being driven. */
export interface Bench {
  readonly module: SakuraModule;
  /** The emulated module behind it, and what it sends up; nothing behind a real one. */
  readonly emulated: { readonly module: EmulatedModule; readonly log: MessageLog } | undefined;
  close(): Promise<void>;
}

/** What a case may do to a module beside answering questions and losing what its queues hold. */
export type Effect = "send" | "reset" | "update";

export interface Way {
  readonly kind: "emulated" | "real";
  readonly name: string;
  /** The effects that this module may suffer. */
  readonly allowed: ReadonlySet<Effect>;
  open(): Promise<Bench>;
}

/** The file that the emulated modules have to offer, as file 1. */
export const FILE = { data: asciiBytes("123456789"), timestamp: 1_490_960_000_123 };

const anything: ReadonlySet<Effect> = new Set(["send", "reset", "update"]);

/** @param connect how the host reaches this module */
function emulated(
  name: string,
  connect: (module: EmulatedModule, closing: (() => Promise<void>)[]) => Promise<SakuraModule>,
): Way {
  return {
    kind: "emulated",
    name,
    allowed: anything,
    async open() {
      const log = new MessageLog();
      const module = new EmulatedModule({
        uplink: log,
        sendTimeMs: 20,
        bootTimeMs: 50,
        fileDelayMs: 20,
        files: filesInMemory({ 1: FILE }),
        update: { outcome: "already-up-to-date", durationMs: 500 },
      });
      const closing: (() => Promise<void>)[] = [];
      const client = await connect(module, closing);
      return {
        module: client,
        emulated: { module, log },
        async close() {
          await client.close();
          for (const close of closing) await close();
        },
      };
    },
  };
}

const onWires: Way[] = [
  emulated("i2c, on a wire", async (module) => SakuraModule.over(i2cExchange(new I2cWire(module)))),
  emulated("spi, on a wire", async (module) => SakuraModule.over(spiExchange(new SpiWire(module)))),
];

const onTerminals: Way[] = [
  emulated("uart, on a pseudo-terminal", async (module, closing) => {
    const pty = await openPty();
    closing.push(pty.close);
    attachUart(module, pty.duplex);
    return SakuraModule.open(`uart:${pty.path}`);
  }),
  ...(["i2c", "spi"] as const).map((bus) =>
    emulated(`${bus}, behind a Bus Pirate on a pseudo-terminal`, async (module, closing) => {
      const pty = await openPty();
      closing.push(pty.close);
      attachBusPirate(module, pty.duplex);
      return SakuraModule.open(`buspirate+${bus}:${pty.path}`);
    }),
  ),
];

/** A real one, where `SAKURAIO_PORT` names it: `SAKURAIO_ALLOW=send,reset,update` lets it be sent from, reset, and updated. */
function real(port: string): Way {
  const allowed = (process.env["SAKURAIO_ALLOW"] ?? "").split(",");
  return {
    kind: "real",
    name: `the module at ${port}`,
    allowed: new Set([...anything].filter((effect) => allowed.includes(effect))),
    async open() {
      const module = await SakuraModule.open(port);
      return { module, emulated: undefined, close: () => module.close() };
    },
  };
}

const port = process.env["SAKURAIO_PORT"];

export const ways: readonly Way[] = [
  ...onWires,
  ...(process.platform === "win32" ? [] : onTerminals),
  ...(port ? [real(port)] : []),
];
