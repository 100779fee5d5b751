/** The links that the bridge's configuration may ask for, beside those that the bridge makes itself. */
import type { LinkFactories } from "../bridge/index.ts";
import { emulatedLink } from "./emulated-link.ts";
import { tapLinkOf } from "./tap-link.ts";

export const linkFactories: LinkFactories = { emulated: emulatedLink, tap: tapLinkOf };
