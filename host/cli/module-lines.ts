/** The lines that an emulated module is on: its UART, and a Bus Pirate with its I2C and SPI behind it. */
import { attachBusPirate, type BusPirateEvent } from "../../emulator/bus/bus-pirate.ts";
import { attachUart, type UartEvent } from "../../emulator/bus/uart.ts";
import type { FrameAnswerer } from "../../emulator/frame-answerer.ts";
import { SakuraError } from "../../protocol/errors.ts";
import { type OpenEndpoint, openDeviceEndpoint } from "./open-endpoint.ts";

/** Endpoints, one at least. */
export interface ModuleLineNames {
  readonly uart?: string | undefined;
  readonly bus_pirate?: string | undefined;
}

export interface ModuleLineOptions {
  /** From a request's last byte to the answer, on I2C and SPI, in ms. */
  readonly readyAfterMs?: number | undefined;
  /** A driver has come, where drivers come and go; its name. */
  readonly onConnected?: ((driver: string) => void) | undefined;
  readonly onUartEvent?: ((event: UartEvent) => void) | undefined;
  readonly onBusPirateEvent?: ((event: BusPirateEvent) => void) | undefined;
}

export interface ModuleLines {
  /** What drivers open, for each line that there is. */
  readonly addresses: { readonly uart?: string; readonly bus_pirate?: string };
  /** Resolves when one of them is gone; never after `close()`. */
  readonly lost: Promise<SakuraError>;
  /** Puts the module on them. */
  attach(module: FrameAnswerer, options?: ModuleLineOptions): void;
  close(): Promise<void>;
}

/** What the command line says of them: a UART on a new pseudo-terminal, unless it is said where. */
export function modulePlaces(options: {
  readonly uart?: string | undefined;
  readonly busPirate?: string | undefined;
}): ModuleLineNames {
  const { uart, busPirate } = options;
  return uart === undefined && busPirate === undefined ? { uart: "pty" } : { uart, bus_pirate: busPirate };
}

/**
 * Opens all of them, or none.
 * @throws SakuraError INVALID_ARGUMENT, or a port's own codes
 */
export async function openModuleLines(
  names: ModuleLineNames,
  options: { signal?: AbortSignal } = {},
): Promise<ModuleLines> {
  if (names.uart?.startsWith("pty:") && names.uart === names.bus_pirate) {
    throw new SakuraError("INVALID_ARGUMENT", `${names.uart} cannot be two lines: name another link for one of them`);
  }
  const uart = names.uart === undefined ? undefined : await openDeviceEndpoint(names.uart, options);
  let busPirate: OpenEndpoint | undefined;
  try {
    if (names.bus_pirate !== undefined) busPirate = await openDeviceEndpoint(names.bus_pirate, options);
  } catch (error) {
    await uart?.close();
    throw error;
  }
  const pirate = busPirate;
  const open = [uart, pirate].filter((endpoint) => endpoint !== undefined);
  return {
    addresses: { ...(uart && { uart: uart.address }), ...(pirate && { bus_pirate: pirate.address }) },
    lost: Promise.race(open.map(({ lost }) => lost)),
    attach(module, { readyAfterMs, onConnected, onUartEvent, onBusPirateEvent } = {}) {
      uart?.onConnection((duplex) => {
        if (comeAndGo(uart)) onConnected?.(duplex.name);
        attachUart(module, duplex, onUartEvent);
      });
      pirate?.onConnection((duplex) => {
        if (comeAndGo(pirate)) onConnected?.(duplex.name);
        attachBusPirate(module, duplex, { readyAfterMs, onEvent: onBusPirateEvent });
      });
    },
    close: async () => {
      await Promise.all(open.map((endpoint) => endpoint.close()));
    },
  };
}

function comeAndGo(endpoint: OpenEndpoint): boolean {
  return endpoint.address.startsWith("tcp:");
}
