/** From a port URI to the frames of the module behind it. Each adapter is loaded only when it is asked for. */
import type { ByteDuplex, Clock } from "../protocol/bus.ts";
import type { FrameExchange } from "./transport/exchange.ts";
import { UartExchange } from "./transport/uart.ts";
import type { PortUri } from "./uri.ts";

export interface OpenPortOptions {
  readonly clock: Clock;
  readonly signal?: AbortSignal | undefined;
  readonly early?: boolean | undefined;
}

/** @throws SakuraError the adapter's codes: PORT_NOT_FOUND, PORT_BUSY, PORT_DENIED, PORT_FAILED, ABORTED, … */
export async function openPort(uri: PortUri, { clock, signal, early }: OpenPortOptions): Promise<FrameExchange> {
  const duplex = await openDuplex(uri, signal);
  return UartExchange.open(duplex, { clock, signal, early, baudRate: uri.kind === "uart" ? uri.baudRate : undefined });
}

async function openDuplex(uri: PortUri, signal: AbortSignal | undefined): Promise<ByteDuplex> {
  switch (uri.kind) {
    case "uart": {
      const { openSerialPort } = await import("./adapter/serial-port.ts");
      return openSerialPort({ path: uri.path, baudRate: uri.baudRate, signal });
    }
    case "tcp": {
      const { connectTcp } = await import("./adapter/tcp.ts");
      return connectTcp({ host: uri.host, port: uri.port, signal });
    }
  }
}
