import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { Link, useNavigate } from '@tanstack/react-router';
import { useState } from 'react';
import type { CookWire, ServerWire } from '#libs/contracts';
import { rehearseUpgrade, upgradeQuery } from '../../api/recipes.ts';
import { everyServerQuery } from '../../api/servers.ts';
import { Button } from '../../components/button.tsx';
import { FormDialog } from '../../components/dialogs.tsx';
import { ErrorPanel } from '../../components/error-panel.tsx';
import { PackageChanges } from '../../components/package-changes.tsx';
import { Section } from '../../components/section.tsx';
import { Skeleton } from '../../components/skeleton.tsx';
import { FileChanges } from './file-changes.tsx';

/** Servers of older images of the recipe, and the way to bring them to this one; nothing where there are none. */
export function OlderServers({ cook }: { cook: CookWire }) {
  const [chosen, setChosen] = useState<ServerWire | null>(null);
  const { data: servers } = useQuery(everyServerQuery);
  const older = servers?.filter((server) => isOlder(server, cook));
  if (!older || older.length === 0) return null;
  return (
    <Section
      title="Servers of an older image"
      hint="They can be brought to this one in place: tried on a clone first, then applied, and rolled back where it fails."
    >
      <ul
        aria-label="Servers of an older image"
        className="divide-y divide-line rounded-card border border-line bg-surface shadow-card"
      >
        {older.map((server) => (
          <li key={server.id} className="flex flex-wrap items-center justify-between gap-3 py-2 pr-2 pl-4">
            <span>
              <Link
                to="/servers/$serverId"
                params={{ serverId: server.id }}
                className="font-[600] underline decoration-line-strong underline-offset-4"
              >
                {server.name}
              </Link>{' '}
              <span className="text-sm text-soft">of version {systemOf(server)?.version}</span>
            </span>
            <Button look="secondary" size="small" onClick={() => setChosen(server)}>
              Upgrade<span className="sr-only"> {server.name}</span>
            </Button>
          </li>
        ))}
      </ul>
      {chosen && <UpgradeDialog cook={cook} server={chosen} close={() => setChosen(null)} />}
    </Section>
  );
}

/** The image that a server's system is like; null: it is of no recipe. */
function systemOf({ image, servery }: ServerWire): ServerWire['servery']['upgraded_to'] {
  const recipe = image?.servery.recipe;
  if (!image || !recipe) return null;
  return servery.upgraded_to ?? { image: image.id, version: recipe.version, created: image.created };
}

/** Of an older version of the recipe, or of the same one and cooked before. */
function isOlder(server: ServerWire, { recipe, image, finished }: CookWire): boolean {
  const system = systemOf(server);
  if (!system || server.image?.servery.recipe?.id !== recipe.id || system.image === image) return false;
  if (system.version !== recipe.version) return system.version < recipe.version;
  return finished !== null && new Date(system.created) < new Date(finished);
}

interface UpgradeDialogProps {
  readonly cook: CookWire;
  readonly server: ServerWire;
  readonly close: () => void;
}

/** What the upgrade would change, its script, and its rehearsal. */
function UpgradeDialog({ cook, server, close }: UpgradeDialogProps) {
  const queryClient = useQueryClient();
  const navigate = useNavigate();
  const { data: upgrade, error } = useQuery(upgradeQuery(cook.id, server.id));
  const begin = useMutation({
    mutationFn: () => rehearseUpgrade(cook.id, server.id),
    onSuccess: async ({ id }) => {
      await queryClient.invalidateQueries({ queryKey: ['servers'] });
      await navigate({ to: '/rehearsals/$rehearsalId', params: { rehearsalId: id } });
    },
  });
  return (
    <FormDialog open onOpenChange={close} title={`Upgrade ${server.name}`}>
      {error && <ErrorPanel error={error} title="It cannot be upgraded" />}
      {begin.error && <ErrorPanel error={begin.error} title="Nothing was started" />}
      {!upgrade && !error && <Skeleton className="h-40" />}
      {upgrade && (
        <>
          <PackageChanges caption="Packages that would differ" changes={upgrade.changes.packages} />
          <FileChanges files={upgrade.changes.files} />
          <details>
            <summary className="w-fit text-[0.9375rem]">Its script</summary>
            <pre
              // biome-ignore lint/a11y/noNoninteractiveTabindex: a frame that scrolls must be reachable by keyboard
              tabIndex={0}
              className="mt-2 max-h-64 overflow-auto rounded-control border border-line bg-sunken p-3 font-mono text-sm"
            >
              {upgrade.script}
            </pre>
          </details>
        </>
      )}
      <div className="flex justify-end gap-2">
        <Button look="secondary" onClick={close}>
          Cancel
        </Button>
        <Button busy={begin.isPending} disabled={!upgrade} onClick={() => begin.mutate()}>
          Try it on a clone
        </Button>
      </div>
    </FormDialog>
  );
}
