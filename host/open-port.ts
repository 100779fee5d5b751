/** From a port URI to the frames of the module behind it. Each adapter is loaded only when it is asked for. */
import type { ByteDuplex, Clock } from "../protocol/bus.ts";
import { SakuraError } from "../protocol/errors.ts";
import type { ListPorts } from "./adapter/serial-place.ts";
import type { Bus } from "./bus.ts";
import type { FrameExchange } from "./transport/exchange.ts";
import { i2cExchange } from "./transport/i2c.ts";
import { spiExchange } from "./transport/spi.ts";
import { UartExchange } from "./transport/uart.ts";
import type { BusPirateUri, PortUri, TcpUri, UartUri } from "./uri.ts";

export interface OpenPortOptions {
  readonly clock: Clock;
  readonly signal?: AbortSignal | undefined;
  readonly early?: boolean | undefined;
  /** The serial ports of this machine, unless a test brings its own. */
  readonly listPorts?: ListPorts | undefined;
}

/** @throws SakuraError the adapter's codes: PORT_NOT_FOUND, PORT_BUSY, PORT_DENIED, PORT_FAILED, ABORTED, … */
export async function openPort(uri: PortUri, options: OpenPortOptions): Promise<FrameExchange> {
  const { clock, signal, early, listPorts } = options;
  switch (uri.kind) {
    case "uart":
    case "tcp": {
      const baudRate = uri.kind === "uart" ? uri.baudRate : undefined;
      return UartExchange.open(await openLine(uri, signal, listPorts), { clock, signal, early, baudRate });
    }
    case "buspirate":
      return openBusPirate(uri, options);
    case "i2c": {
      const { openLinuxI2c } = await import("./adapter/linux-i2c.ts");
      const bus = await unlessAborted(openLinuxI2c({ bus: uri.bus, clock }), uri.path, signal);
      return i2cExchange(bus, { waitMs: uri.waitMs, clock });
    }
    case "spi": {
      const { openLinuxSpi } = await import("./adapter/linux-spi.ts");
      const opening = openLinuxSpi({ bus: uri.bus, device: uri.device, speed: uri.speed, clock });
      return spiExchange(await unlessAborted(opening, uri.path, signal), { waitMs: uri.waitMs, clock });
    }
  }
}

/** Linux's buses open at once; what was given up meanwhile is let go again. */
async function unlessAborted<B extends Bus>(
  opening: Promise<B>,
  path: string,
  signal: AbortSignal | undefined,
): Promise<B> {
  const bus = await opening;
  if (!signal?.aborted) return bus;
  await bus.close();
  throw new SakuraError("ABORTED", `opening ${path} was given up`, { context: { port: path }, cause: signal.reason });
}

async function openBusPirate(uri: BusPirateUri, { clock, signal, listPorts }: OpenPortOptions): Promise<FrameExchange> {
  const { openBusPirateI2c, openBusPirateSpi } = await import("./adapter/bus-pirate.ts");
  const { power, pullUps, waitMs } = uri;
  const duplex = await openLine(uri.line, signal, listPorts);
  try {
    return uri.bus === "i2c"
      ? i2cExchange(await openBusPirateI2c(duplex, { power, pullUps, clock, signal }), { waitMs, clock })
      : spiExchange(await openBusPirateSpi(duplex, { power, clock, signal }), { waitMs, clock });
  } catch (error) {
    await duplex.close();
    throw error;
  }
}

/** A line that carries bytes. @throws SakuraError as {@link openPort} */
export async function openLine(
  uri: UartUri | TcpUri,
  signal: AbortSignal | undefined,
  listPorts?: ListPorts,
): Promise<ByteDuplex> {
  switch (uri.kind) {
    case "uart": {
      const { openSerialPlace } = await import("./adapter/serial-place.ts");
      return openSerialPlace(uri.place, { baudRate: uri.baudRate, signal, listPorts });
    }
    case "tcp": {
      const { connectTcp } = await import("./adapter/tcp.ts");
      return connectTcp({ host: uri.host, port: uri.port, signal });
    }
  }
}
