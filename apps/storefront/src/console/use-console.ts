import { type RefObject, useEffect, useRef, useState } from 'react';
import { requestConsole } from '../api/servers.ts';
import type { ConsoleSight } from './console-sight.ts';

export type ConsoleType = 'vnc' | 'serial';

export type ConsoleState =
  | { readonly is: 'connecting' }
  | { readonly is: 'open' }
  /** `reason` is the gateway's; empty where the connection just broke. */
  | { readonly is: 'ended'; readonly reason: string }
  | { readonly is: 'refused'; readonly error: Error };

interface OpenedConsole {
  readonly state: ConsoleState;
  readonly sight: RefObject<ConsoleSight | null>;
}

/** Opens a console of a server in `place`, and closes it when the page is left. Each `attempt` opens a new one. */
export function useConsole(
  serverId: number,
  type: ConsoleType,
  place: RefObject<HTMLElement | null>,
  attempt: number,
): OpenedConsole {
  const [state, setState] = useState<ConsoleState>({ is: 'connecting' });
  const sight = useRef<ConsoleSight | null>(null);
  // biome-ignore lint/correctness/useExhaustiveDependencies: a new attempt opens a new console
  useEffect(() => {
    let isLeft = false;
    setState({ is: 'connecting' });
    const open = async () => {
      const [show, { wss_url: url, password }] = await Promise.all([
        sightOf(type),
        requestConsole(serverId, { type }),
      ]);
      if (isLeft || !place.current) return;
      const socket = new WebSocket(url);
      socket.binaryType = 'arraybuffer';
      socket.addEventListener('open', () => {
        if (isLeft) return;
        setState({ is: 'open' });
        sight.current?.focus();
      });
      socket.addEventListener('close', ({ reason }) => {
        if (!isLeft) setState({ is: 'ended', reason });
      });
      sight.current = show(place.current, socket, password);
    };
    open().catch((error: Error) => {
      if (!isLeft) setState({ is: 'refused', error });
    });
    return () => {
      isLeft = true;
      sight.current?.remove();
      sight.current = null;
    };
  }, [serverId, type, place, attempt]);
  return { state, sight };
}

/** Terminal and screen are large, and only one of them is needed. */
async function sightOf(type: ConsoleType) {
  if (type === 'serial') return (await import('./show-serial.ts')).showSerial;
  return (await import('./show-screen.ts')).showScreen;
}
