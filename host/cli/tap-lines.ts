/** The two lines that a tap lies between: the MCU's, where it is the device, and the module's, where it is the master. */
import { SakuraError } from "../../protocol/errors.ts";
import type { TapLines } from "../bridge/index.ts";
import { parseDeviceEndpoint } from "../config/device-endpoint.ts";
import { openLine } from "../open-port.ts";
import { parsePortUri, type TcpUri, type UartUri } from "../uri.ts";
import { openDeviceEndpoint } from "./open-endpoint.ts";

export interface TapPlaces {
  /** The endpoint's text, checked. */
  readonly mcu: string;
  readonly module: UartUri | TcpUri;
}

/** @throws SakuraError INVALID_ARGUMENT; UNSUPPORTED for a kind of port that this version cannot drive */
export function parseTapPlaces({ mcu, module }: { readonly mcu: string; readonly module: string }): TapPlaces {
  parseDeviceEndpoint(mcu);
  const port = parsePortUri(module);
  if (port.kind === "uart" || port.kind === "tcp") return { mcu, module: port };
  throw new SakuraError(
    "INVALID_ARGUMENT",
    `a tap lies on a UART: name uart:/dev/ttyUSB0 or tcp:HOST:PORT, not ${module}`,
    {
      context: { uri: module },
    },
  );
}

/**
 * Opens both, or none: the module's first, since it says nothing before it is asked.
 * @throws SakuraError a port's own codes
 */
export async function openTapLines(places: TapPlaces, signal: AbortSignal): Promise<TapLines> {
  const module = await openLine(places.module, signal);
  try {
    const mcu = await openDeviceEndpoint(places.mcu, { signal });
    const moduleLost = new Promise<SakuraError>((resolve) => {
      module.onClose((reason) => {
        if (reason) resolve(reason);
      });
    });
    return {
      endpoint: mcu.address,
      module,
      onMcu: (listener) => mcu.onConnection(listener),
      lost: Promise.race([mcu.lost, moduleLost]),
      close: async () => {
        await Promise.all([mcu.close(), module.close()]);
      },
    };
  } catch (error) {
    await module.close();
    throw error;
  }
}
