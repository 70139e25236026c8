import { useMutation, useQueryClient } from '@tanstack/react-query';
import { Link, useNavigate } from '@tanstack/react-router';
import {
  Activity,
  BookOpen,
  ChefHat,
  ChevronDown,
  Cylinder,
  Disc3,
  FileKey2,
  HardDrive,
  KeyRound,
  LogOut,
  ReceiptText,
  Server,
  Store,
  TriangleAlert,
  UserRound,
} from 'lucide-react';
import type { AccountWire } from '#libs/contracts';
import { signOut } from '../../api/account.ts';
import { chooseProject, useCurrentProject } from '../../api/project.ts';
import { clearOrderDraft } from '../../order-draft.ts';
import { useProjectChange } from '../../use-project-change.ts';
import { DropMenu, DropMenuChoice, DropMenuItem, DropMenuRule } from '../menu.tsx';

const TRIGGER =
  'flex h-10 items-center gap-2 rounded-control border border-line-strong/60 bg-surface px-3 text-[0.9375rem] font-medium hover:bg-sunken';

export function AccountMenu({ account }: { account: AccountWire }) {
  const leave = useSignOut();
  const label = account.name || account.email;
  return (
    <DropMenu
      trigger={
        <button type="button" className={TRIGGER} aria-label={`Account menu, ${label}`}>
          <UserRound aria-hidden="true" className="size-4" />
          <span className="max-w-40 truncate max-sm:hidden">{label}</span>
          <ChevronDown aria-hidden="true" className="size-4 opacity-60" />
        </button>
      }
    >
      <p className="truncate px-3 pt-1 pb-2 text-sm text-soft">{account.email}</p>
      {account.projects.length > 1 && <ProjectSwitch projects={account.projects} />}
      <DropMenuItem icon={Server} link={<Link to="/servers" />}>
        My servers
      </DropMenuItem>
      <DropMenuItem icon={Cylinder} link={<Link to="/volumes" />}>
        Volumes
      </DropMenuItem>
      <DropMenuItem icon={Disc3} link={<Link to="/images" />}>
        Images
      </DropMenuItem>
      <DropMenuItem icon={ChefHat} link={<Link to="/recipes" />}>
        Recipes
      </DropMenuItem>
      <DropMenuItem icon={ReceiptText} link={<Link to="/billing" />}>
        Billing
      </DropMenuItem>
      <DropMenuItem icon={Store} link={<Link to="/" />}>
        Catalog
      </DropMenuItem>
      <DropMenuRule />
      <DropMenuItem icon={KeyRound} link={<Link to="/ssh-keys" />}>
        SSH keys
      </DropMenuItem>
      <DropMenuItem icon={FileKey2} link={<Link to="/tokens" />}>
        API tokens
      </DropMenuItem>
      <DropMenuItem icon={UserRound} link={<Link to="/account" />}>
        Account and cards
      </DropMenuItem>
      {account.role === 'operator' && (
        <>
          <DropMenuRule />
          <DropMenuItem icon={HardDrive} link={<Link to="/operator/hosts" />}>
            Hosts
          </DropMenuItem>
          <DropMenuItem icon={Activity} link={<Link to="/operator/sagas" />}>
            Workflows
          </DropMenuItem>
          <DropMenuItem icon={TriangleAlert} link={<Link to="/operator/findings" />}>
            Findings
          </DropMenuItem>
          <DropMenuItem icon={BookOpen} link={<Link to="/operator/revenue" />}>
            Books
          </DropMenuItem>
        </>
      )}
      <DropMenuRule />
      <DropMenuItem icon={LogOut} onClick={() => leave.mutate()}>
        Sign out
      </DropMenuItem>
    </DropMenu>
  );
}

/** Going on in another project leads to its servers: the page at hand may be about one of the former's. */
function ProjectSwitch({ projects }: { projects: AccountWire['projects'] }) {
  const current = useCurrentProject(projects);
  const change = useProjectChange();
  const navigate = useNavigate();
  return (
    <>
      <DropMenuChoice
        label="Project"
        value={current?.id}
        options={projects.map(({ id, name }) => [id, name])}
        onChange={(id) => void navigate({ to: '/servers' }).then(() => change(id))}
      />
      <DropMenuRule />
    </>
  );
}

function useSignOut() {
  const queryClient = useQueryClient();
  const navigate = useNavigate();
  return useMutation({
    mutationFn: signOut,
    onSuccess: async () => {
      clearOrderDraft();
      chooseProject(null);
      await navigate({ to: '/' });
      queryClient.clear();
    },
  });
}
