/** Exit codes of every command. Never a count. */
export enum Exit {
  /** Done and clean. */
  Done = 0,
  /** Done, but something is left or a check failed. */
  Left = 1,
  /** Usage, configuration or bad input. */
  Usage = 2,
  /** Stopped for you: `kport continue`. */
  Stopped = 3,
  /** A bug of ours. */
  Internal = 255,
}
