// What travels: the events of `/_savecast/events`, and the messages between the tabs of a browser and the worker that holds
// the stream of all of them.

/** What the server tells of a file: the name of the event, and its data. */
export interface Update {
  /** `message`, `change`, `problem` or `removed`, or a word of a newer server. */
  event: string;
  /** Not percent-encoded. Of what another server answers, it is the URL. */
  path: string;
  version: string;

  // A message has the contents: of a JSON file, of a text file, or what is known of any other.
  document?: unknown;
  text?: string;
  size?: number;
  type?: string;

  // A problem says what is wrong, and where.
  message?: string;
  line?: number | null;
  column?: number | null;
}

/** What makes the document of this version from the one of the version before. Tabs are told the document. */
export interface Patch {
  event: string;
  path: string;
  version: string;
  before: string;
  /** A JSON Patch (RFC 6902). */
  patch: { op: string; path: string; value?: unknown }[];
}

/** Whether many files are changing at once: a build, a checkout. */
export interface Burst {
  event: string;
  burst: boolean;
}

/** All open pages are to be loaded again. */
export interface Reload {
  event: "reload";
}

/** Any event of `/_savecast/events`. */
export type StreamEvent = Update | Patch | Burst | Reload;

/**
 * What a page uses, and what it reads the contents of: percent-encoded paths, and URLs of other servers' answers, each with the
 * version that the page has; null where it isn't known.
 */
export interface Wishes {
  uses: Record<string, string | null>;
  reads: Record<string, string | null>;
}

/** What a tab says to the worker. */
export interface TabMessage {
  /** Null when the tab goes. */
  wishes?: Wishes | null;
  /** At which directories other servers are. See `paths.js`. */
  servers?: string;
  /** The path of its URL, and when it was loaded, in milliseconds since 1970. */
  page?: string;
  since?: number;
  /** It has dealt with what it was told, and may be told more. */
  ready?: boolean;
  /** The network may be back. */
  retry?: boolean;
}

/** What the worker tells a tab. */
export interface WorkerMessage {
  updates: Update[];
  burst: boolean;
  /** Why the server refuses to tell. */
  refused?: string;
  /** The page is to be loaded again, whatever it uses. */
  reload?: boolean;
}
