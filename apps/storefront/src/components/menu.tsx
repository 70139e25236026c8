import { Menu } from '@base-ui/react/menu';
import { EllipsisVertical, type LucideIcon } from 'lucide-react';
import type { ReactElement, ReactNode } from 'react';

const ITEM =
  'flex w-full items-center gap-3 rounded-control px-3 py-2.5 text-left text-[0.9375rem] outline-none select-none data-highlighted:bg-sunken data-disabled:opacity-50';

/** A menu that opens below its trigger. */
export function DropMenu({ trigger, children }: { trigger: ReactElement; children: ReactNode }) {
  return (
    <Menu.Root modal={false}>
      <Menu.Trigger render={trigger} />
      <Menu.Portal>
        <Menu.Positioner align="end" sideOffset={6} collisionPadding={12} className="z-40">
          <Menu.Popup className="max-h-[min(38rem,80dvh)] min-w-56 max-w-[min(20rem,calc(100vw-1.5rem))] overflow-y-auto rounded-card border border-line bg-surface p-1.5 shadow-float outline-none">
            {children}
          </Menu.Popup>
        </Menu.Positioner>
      </Menu.Portal>
    </Menu.Root>
  );
}

/** The trigger of a menu of what can be done with one of several: three dots. */
export function DropMenuDots({ name, ...props }: { name: string }) {
  return (
    <button
      type="button"
      {...props}
      aria-label={`Actions for ${name}`}
      className="grid size-10 shrink-0 place-items-center justify-self-end rounded-control text-soft hover:bg-sunken hover:text-ink"
    >
      <EllipsisVertical aria-hidden="true" className="size-5" />
    </button>
  );
}

interface ItemProps {
  readonly icon: LucideIcon;
  readonly children: ReactNode;
  /** A link to render the item as; without one it is a button. */
  readonly link?: ReactElement;
  readonly onClick?: () => void;
  readonly disabled?: boolean;
  readonly danger?: boolean;
}

export function DropMenuItem({ icon: Icon, children, link, onClick, disabled, danger }: ItemProps) {
  const content = (
    <>
      <Icon aria-hidden="true" className="size-4 shrink-0 opacity-80" />
      {children}
    </>
  );
  const className = `${ITEM} ${danger ? 'text-bad' : ''}`;
  if (link)
    return (
      <Menu.LinkItem closeOnClick render={link} className={className}>
        {content}
      </Menu.LinkItem>
    );
  return (
    <Menu.Item {...(onClick && { onClick })} disabled={disabled ?? false} className={className}>
      {content}
    </Menu.Item>
  );
}

export function DropMenuRule() {
  return <Menu.Separator className="my-1.5 h-px bg-line" />;
}

/** Why entries of the menu cannot be chosen now; an entry itself, for the arrow keys reach nothing else in a menu. */
export function DropMenuHint({ children }: { children: ReactNode }) {
  return (
    <Menu.Item
      disabled
      className="mt-1.5 max-w-56 border-t border-line px-3 pt-2.5 pb-1.5 text-sm text-soft outline-none select-none data-highlighted:bg-sunken"
    >
      {children}
    </Menu.Item>
  );
}

interface ChoiceProps<Value> {
  readonly label: string;
  readonly value: Value | undefined;
  readonly options: readonly (readonly [value: Value, name: string])[];
  readonly onChange: (value: Value) => void;
}

/** A titled group of entries of which one is chosen. */
export function DropMenuChoice<Value extends number>({
  label,
  value,
  options,
  onChange,
}: ChoiceProps<Value>) {
  return (
    <Menu.RadioGroup value={value} onValueChange={onChange}>
      <Menu.GroupLabel className="px-3 pt-1.5 pb-1 text-sm text-soft">{label}</Menu.GroupLabel>
      {options.map(([option, name]) => (
        <Menu.RadioItem key={option} value={option} closeOnClick className={ITEM}>
          <span aria-hidden="true" className="grid size-4 shrink-0 place-items-center">
            <Menu.RadioItemIndicator className="size-2 rounded-full bg-brand" />
          </span>
          <span className="max-w-56 truncate">{name}</span>
        </Menu.RadioItem>
      ))}
    </Menu.RadioGroup>
  );
}
