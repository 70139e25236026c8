import {
  ChevronDown,
  Copy,
  HardDriveDownload,
  KeyRound,
  Pencil,
  Power,
  PowerOff,
  RefreshCw,
  RotateCw,
  Scaling,
  Trash2,
  Zap,
} from 'lucide-react';
import { useState } from 'react';
import type { ServerWire } from '#libs/contracts';
import type { MenuAction } from '../../api/servers.ts';
import { Button } from '../../components/button.tsx';
import { ConfirmDialog, FormDialog } from '../../components/dialogs.tsx';
import { ErrorPanel } from '../../components/error-panel.tsx';
import { DropMenu, DropMenuDots, DropMenuHint, DropMenuItem, DropMenuRule } from '../../components/menu.tsx';
import { CloneDialog } from './clone-dialog.tsx';
import { DeleteServerDialog } from './delete-server-dialog.tsx';
import { isServerInRescue, isServerSuspended } from './is-busy.ts';
import { RebuildDialog } from './rebuild-dialog.tsx';
import { RenameDialog } from './rename-dialog.tsx';
import { ResizeDialog } from './resize-dialog.tsx';
import { useServerAction } from './use-server-action.ts';

const ACTIONS = {
  poweron: { label: 'Power on', icon: Power, when: ['off'], ask: null },
  shutdown: {
    label: 'Shut down',
    icon: PowerOff,
    when: ['running'],
    ask: 'Its system is asked to end all programs and switch itself off. It keeps its disk and its price.',
  },
  reboot: {
    label: 'Restart',
    icon: RotateCw,
    when: ['running'],
    ask: 'Its system is asked to restart. It is away for about a minute.',
  },
  poweroff: {
    label: 'Power off now',
    icon: Zap,
    when: ['running', 'stopping'],
    ask: 'This is like pulling the plug: what has not been written to disk is lost. Shutting down is gentler.',
  },
  reset: {
    label: 'Reset now',
    icon: RefreshCw,
    when: ['running'],
    ask: 'This is like pressing the reset button: what has not been written to disk is lost.',
  },
  reset_password: {
    label: 'New password',
    icon: KeyRound,
    when: ['running'],
    ask: 'The password of root is replaced by a new one, which you can see once on the page of the server.',
  },
} as const satisfies Record<MenuAction, unknown>;

const ORDER = Object.keys(ACTIONS) as MenuAction[];

/** What can be done to a server, each with a question first where something may be lost. */
export function PowerMenu({ server, compact = false }: { server: ServerWire; compact?: boolean }) {
  const [asking, setAsking] = useState<MenuAction | null>(null);
  const [dialog, setDialog] = useState<keyof typeof DIALOGS | null>(null);
  const { start, busy, error, clear } = useServerAction(server.id, {
    started: () => setAsking(null),
    follow: compact,
  });
  const locked = server.locked || busy || server.status === 'deleting';
  const isRescued = isServerInRescue(server);
  const isSuspended = isServerSuspended(server);
  const isHeld = locked || isSuspended || isRescued || !server.servery.ready;
  const OpenDialog = dialog && DIALOGS[dialog];
  return (
    <>
      <DropMenu trigger={compact ? <DropMenuDots name={server.name} /> : <WideTrigger />}>
        {ORDER.map((name) => (
          <DropMenuItem
            key={name}
            icon={ACTIONS[name].icon}
            disabled={
              locked ||
              isSuspended ||
              !(ACTIONS[name].when as readonly string[]).includes(server.status) ||
              (isRescued && name === 'reset_password')
            }
            onClick={() => (ACTIONS[name].ask === null ? start(name) : setAsking(name))}
          >
            {ACTIONS[name].label}
          </DropMenuItem>
        ))}
        <DropMenuRule />
        <DropMenuItem
          icon={Pencil}
          disabled={server.status === 'deleting'}
          onClick={() => setDialog('rename')}
        >
          Rename
        </DropMenuItem>
        <DropMenuItem icon={Copy} disabled={isHeld} onClick={() => setDialog('clone')}>
          Clone
        </DropMenuItem>
        <DropMenuItem icon={Scaling} disabled={isHeld} onClick={() => setDialog('resize')}>
          Resize
        </DropMenuItem>
        <DropMenuItem
          icon={HardDriveDownload}
          disabled={isHeld || server.protection.rebuild}
          onClick={() => setDialog('rebuild')}
        >
          Rebuild
        </DropMenuItem>
        <DropMenuRule />
        <DropMenuItem
          icon={Trash2}
          danger
          disabled={server.status === 'deleting' || server.protection.delete}
          onClick={() => setDialog('delete')}
        >
          Delete
        </DropMenuItem>
        {locked && <DropMenuHint>{whyLocked(server)}</DropMenuHint>}
        {!locked && isSuspended && (
          <DropMenuHint>It is suspended; the rest comes when it is back.</DropMenuHint>
        )}
        {!locked && !isSuspended && isRescued && (
          <DropMenuHint>It is in its rescue system; the rest comes when it is back.</DropMenuHint>
        )}
        {!locked && (server.protection.delete || server.protection.rebuild) && (
          <DropMenuHint>It is protected; its page takes that away.</DropMenuHint>
        )}
      </DropMenu>
      <ConfirmDialog
        open={asking !== null}
        onOpenChange={() => {
          setAsking(null);
          clear();
        }}
        title={asking ? `${ACTIONS[asking].label}: ${server.name}?` : ''}
        confirm={asking ? ACTIONS[asking].label : ''}
        busy={busy}
        onConfirm={() => asking && start(asking)}
      >
        {asking && <p>{ACTIONS[asking].ask}</p>}
        {error && <ErrorPanel error={error} />}
      </ConfirmDialog>
      <FormDialog open={error !== null && asking === null} onOpenChange={clear} title={server.name}>
        <ErrorPanel error={error} />
        <div className="flex justify-end">
          <Button look="secondary" onClick={clear}>
            Close
          </Button>
        </div>
      </FormDialog>
      {OpenDialog && <OpenDialog server={server} close={() => setDialog(null)} />}
    </>
  );
}

const DIALOGS = {
  clone: CloneDialog,
  rename: RenameDialog,
  resize: ResizeDialog,
  rebuild: RebuildDialog,
  delete: DeleteServerDialog,
} as const;

function whyLocked(server: ServerWire): string {
  if (server.status === 'deleting') return 'It is being deleted.';
  if (!server.servery.ready) return 'It is being set up; the rest comes then.';
  return 'Something is being done to it; the rest comes then.';
}

function WideTrigger(props: object) {
  return (
    <Button look="secondary" {...props}>
      <Power aria-hidden="true" className="size-4" /> Actions{' '}
      <ChevronDown aria-hidden="true" className="size-4 opacity-60" />
    </Button>
  );
}
