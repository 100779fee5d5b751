/** Two lines of the bridge's file on one serial port: the second would only ever find it taken by the first. */
import { parsePortUri } from "../uri.ts";
import { type SerialPlace, serialPlaceText } from "../usb-name.ts";
import { parseDeviceEndpoint } from "./device-endpoint.ts";
import type { ConfigProblem } from "./problems.ts";
import type { ModuleConfig } from "./schema.ts";

interface Line {
  readonly module: number;
  readonly field: string;
  readonly place: SerialPlace;
}

/**
 * The first one, or nothing. Names alone are compared: a path and a `usb:` name that mean one adapter today may mean two
 * tomorrow.
 *
 * @param modules read, so that every place in them is one
 */
export function sharedPortProblem(modules: readonly ModuleConfig[]): ConfigProblem | undefined {
  const lines = modules.flatMap(linesOf);
  for (const [index, line] of lines.entries()) {
    const first = lines.slice(0, index).find(({ place }) => overlap(place, line.place));
    if (first === undefined) continue;
    const where = `modules[${first.module}].${first.field}`;
    const what =
      serialPlaceText(first.place) === serialPlaceText(line.place)
        ? `is the port of ${where} too: each line has its own`
        : `fits the adapter of ${where} too: name both with their serial numbers`;
    return { path: ["modules", line.module, line.field], message: what };
  }
  return undefined;
}

function linesOf(config: ModuleConfig, module: number): readonly Line[] {
  const endpoint = (field: string, text: string | undefined): readonly Line[] => {
    const parsed = text === undefined ? undefined : parseDeviceEndpoint(text);
    return parsed?.kind === "serial" ? [{ module, field, place: parsed.place }] : [];
  };
  const port = (field: string, text: string): readonly Line[] => {
    const uri = parsePortUri(text);
    const line = uri.kind === "buspirate" ? uri.line : uri;
    return line.kind === "uart" ? [{ module, field, place: line.place }] : [];
  };
  switch (config.link) {
    case "emulated":
      return [...endpoint("uart", config.uart), ...endpoint("bus_pirate", config.bus_pirate)];
    case "module":
      return port("port", config.port);
    case "tap":
      return [...endpoint("mcu", config.mcu), ...port("module", config.module)];
  }
}

function overlap(a: SerialPlace, b: SerialPlace): boolean {
  if (a.kind === "path" || b.kind === "path") return serialPlaceText(a) === serialPlaceText(b);
  if (a.vendorId !== b.vendorId || a.productId !== b.productId) return false;
  return a.serialNumber === undefined || b.serialNumber === undefined || a.serialNumber === b.serialNumber;
}
