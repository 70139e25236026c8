import { useMutation, useQueryClient } from '@tanstack/react-query';
import type { ServerWire } from '#libs/contracts';
import { setProtection } from '../../api/servers.ts';
import { CheckBox } from '../../components/check-box.tsx';
import { ErrorPanel } from '../../components/error-panel.tsx';
import { Panel } from '../../components/section.tsx';

const GUARDS = {
  delete: 'It cannot be deleted',
  rebuild: 'It cannot be rebuilt or rolled back',
} as const;

/** What a server is guarded against: by this page, by the API, and by the tools that use it. */
export function ProtectionSwitch({ server }: { server: ServerWire }) {
  const queryClient = useQueryClient();
  const change = useMutation({
    mutationFn: (body: Partial<ServerWire['protection']>) => setProtection(server.id, body),
    onSuccess: () => queryClient.invalidateQueries({ queryKey: ['servers'] }),
  });
  return (
    <Panel>
      <h2 className="text-lg">Protection</h2>
      <div className="mt-3 grid gap-2">
        {(Object.keys(GUARDS) as (keyof typeof GUARDS)[]).map((guard) => (
          <CheckBox
            key={guard}
            label={GUARDS[guard]}
            checked={(change.isPending ? change.variables[guard] : undefined) ?? server.protection[guard]}
            disabled={change.isPending || server.status === 'deleting'}
            onChange={(isOn) => change.mutate({ [guard]: isOn })}
          />
        ))}
      </div>
      {change.error && <ErrorPanel error={change.error} title="Its protection is as it was" />}
    </Panel>
  );
}
