import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import type { UploadWire } from '#libs/contracts';
import { deleteUpload, uploadsQuery } from '../../api/uploads.ts';
import { Button } from '../../components/button.tsx';
import { ErrorPanel } from '../../components/error-panel.tsx';
import { Section } from '../../components/section.tsx';
import { Time } from '../../components/time.tsx';
import { formatBytes } from '../../format.ts';

/** What was begun here or elsewhere and is no image: each takes one of the project's places until it expires. */
export function StoppedUploads() {
  const { data: uploads = [], error } = useQuery(uploadsQuery);
  if (error) return <ErrorPanel error={error} title="Your uploads could not be loaded" />;
  if (uploads.length === 0) return null;
  return (
    <div className="mt-12">
      <Section
        title="Uploads that were not finished"
        hint="Choose the same file again in the browser that began it, and it goes on."
      >
        <ul className="divide-y divide-line rounded-card border border-line bg-surface shadow-card">
          {uploads.map((upload) => (
            <UploadRow key={upload.id} upload={upload} />
          ))}
        </ul>
      </Section>
    </div>
  );
}

function UploadRow({ upload }: { upload: UploadWire }) {
  const queryClient = useQueryClient();
  const remove = useMutation({
    mutationFn: () => deleteUpload(upload.id),
    onSettled: () => queryClient.invalidateQueries(uploadsQuery),
  });
  const whole = upload.length_bytes === null ? '' : ` of ${formatBytes(upload.length_bytes)}`;
  const size = `${formatBytes(upload.here_bytes)}${whole}`;
  return (
    <li className="grid gap-3 p-4 sm:px-5">
      <div className="flex flex-wrap items-center justify-between gap-4">
        <p className="text-sm text-soft">
          <span className="block font-[600] text-ink tabular-nums">{size}</span>
          Begun <Time at={upload.created} />, kept until <Time at={upload.expires} />
        </p>
        <Button look="quiet" size="small" busy={remove.isPending} onClick={() => remove.mutate()}>
          Delete<span className="sr-only"> the upload of {size}</span>
        </Button>
      </div>
      {remove.error && <ErrorPanel error={remove.error} />}
    </li>
  );
}
