export function Logo({ className }: { className?: string }) {
  return (
    <svg viewBox="0 0 32 32" className={className} aria-hidden="true">
      <rect width="32" height="32" rx="7" className="fill-solid" />
      <path
        d="M8 9l8 15 8-15"
        className="fill-transparent stroke-on-solid"
        strokeWidth="3.5"
        strokeLinecap="round"
        strokeLinejoin="round"
      />
      <circle cx="16" cy="9" r="2.6" className="fill-on-solid" />
    </svg>
  );
}
