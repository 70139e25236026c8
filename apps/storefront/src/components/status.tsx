interface Look {
  readonly text: string;
  readonly dot: string;
  readonly moving?: boolean;
}

const STATUS: Readonly<Record<string, Look>> = {
  running: { text: 'Running', dot: 'bg-good' },
  off: { text: 'Off', dot: 'bg-transparent border-2 border-line-strong' },
  initializing: { text: 'Being set up', dot: 'bg-saffron', moving: true },
  starting: { text: 'Starting', dot: 'bg-saffron', moving: true },
  stopping: { text: 'Stopping', dot: 'bg-saffron', moving: true },
  rebuilding: { text: 'Rebuilding', dot: 'bg-saffron', moving: true },
  migrating: { text: 'Moving', dot: 'bg-saffron', moving: true },
  deleting: { text: 'Being deleted', dot: 'bg-bad', moving: true },
};

const SUSPENDED: Look = { text: 'Suspended', dot: 'bg-bad' };
const UNKNOWN: Look = { text: 'Unknown', dot: 'bg-line-strong' };

/** A server's status as a dot and a word; the colour never speaks alone. */
export function ServerStatus({ status, isSuspended }: { status: string; isSuspended: boolean }) {
  const { text, dot, moving } = isSuspended && status === 'off' ? SUSPENDED : (STATUS[status] ?? UNKNOWN);
  return (
    <span
      className="inline-flex items-center gap-2 text-sm font-medium whitespace-nowrap"
      data-status={status}
    >
      <span aria-hidden="true" className="relative grid size-2.5 place-items-center">
        {moving && <span className={`absolute size-2.5 animate-ring rounded-full ${dot}`} />}
        <span className={`size-2.5 rounded-full ${dot}`} />
      </span>
      {text}
    </span>
  );
}
