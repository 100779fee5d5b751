/** What joins the emulated module to one of the simulated buses. */
export interface Wire {
  /** What has been seen on the bus, as the end of a sentence about the firmware, for whoever waited in vain. */
  describe(): string;
}
