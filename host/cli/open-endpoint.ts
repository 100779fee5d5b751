/** Opens what an endpoint names, as something that drivers come and go on. */
import type { ByteDuplex } from "../../protocol/bus.ts";
import type { SakuraError } from "../../protocol/errors.ts";
import { openSerialPlace } from "../adapter/serial-place.ts";
import { parseDeviceEndpoint } from "../config/device-endpoint.ts";

export interface OpenEndpoint {
  /** What a driver opens: `/dev/pts/3`, the link, `tcp:127.0.0.1:34567`. */
  readonly address: string;
  /** Calls the listener with the line, or with each driver's connection in turn; at once where there is one. */
  onConnection(listener: (duplex: ByteDuplex) => void): () => void;
  /** Resolves when the line itself is gone, such as a pulled adapter; never after `close()`. */
  readonly lost: Promise<SakuraError>;
  close(): Promise<void>;
}

/**
 * A relative link is relative to the working directory.
 * @throws SakuraError INVALID_ARGUMENT, or a port's own codes
 */
export async function openDeviceEndpoint(
  text: string,
  { signal }: { signal?: AbortSignal } = {},
): Promise<OpenEndpoint> {
  const endpoint = parseDeviceEndpoint(text);
  switch (endpoint.kind) {
    case "pty": {
      const { openPty } = await import("../../emulator/bus/pty.ts");
      const pty = await openPty({ link: endpoint.link });
      return ofOneLine(pty.path, pty.duplex);
    }
    case "serial": {
      const { place, baudRate } = endpoint;
      const duplex = await openSerialPlace(place, { baudRate, signal });
      return ofOneLine(duplex.name, duplex);
    }
    case "tcp": {
      const { listenTcp } = await import("../../emulator/bus/tcp.ts");
      const listener = await listenTcp(endpoint);
      return {
        address: listener.uri,
        onConnection: (on) => listener.onConnection(on),
        lost: new Promise(() => undefined),
        close: () => listener.close(),
      };
    }
  }
}

/** A line that is there for as long as the endpoint is, whoever is at its other end. */
function ofOneLine(address: string, duplex: ByteDuplex): OpenEndpoint {
  return {
    address,
    onConnection(listener) {
      listener(duplex);
      return () => undefined;
    },
    lost: new Promise((resolve) => {
      duplex.onClose((reason) => {
        if (reason) resolve(reason);
      });
    }),
    close: () => duplex.close(),
  };
}
