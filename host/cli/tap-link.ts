/** Link `tap` of a configuration. Here, because its MCU's side may be a pseudo-terminal, which is the emulator's. */
import { type Link, type LinkContext, tapLink } from "../bridge/index.ts";
import type { TapModuleConfig } from "../config/schema.ts";
import { openTapLines, parseTapPlaces } from "./tap-lines.ts";

/** @throws SakuraError INVALID_ARGUMENT, UNSUPPORTED for places that are none */
export function tapLinkOf(config: TapModuleConfig, { clock, random }: LinkContext): Link {
  const places = parseTapPlaces(config);
  return tapLink({ module: config.id, clock, random, open: (signal) => openTapLines(places, signal) });
}
