/**
 * The implementations of MPI, as data: what their libraries are called and what their constants are.
 *
 * C programs get these from `mpi.h`, at compile time. Open MPI's handles are addresses of exported
 * symbols, MPICH's are 32-bit integers, and the standard ABI of MPI 5 has small integers of the width of
 * a pointer.
 */

/** The implementations that are known. */
export type FlavorName = "Open MPI" | "MPICH" | "MPI ABI";

/** The handles and constants that the binding needs, by their names in the standard. */
export const HANDLES = [
  "MPI_COMM_WORLD",
  "MPI_DOUBLE",
  "MPI_SUM",
  "MPI_MIN",
  "MPI_MAX",
  "MPI_ERRORS_RETURN",
] as const;

/** The name of a handle. */
export type HandleName = typeof HANDLES[number];

/** One implementation. */
export interface Flavor {
  /** Its name. */
  readonly name: FlavorName;
  /** A symbol that its libraries export and others do not; `null` for what is left over. */
  readonly mark: string | null;
  /** What a handle is to the C calls. */
  readonly handle: "pointer" | "i32" | "usize";
  /** Each handle: a symbol whose address it is, or the number that it is. */
  readonly handles: Readonly<Record<HandleName, string | number>>;
  /** `MPI_IN_PLACE`, as an address. */
  readonly inPlace: number;
  /** `MPI_STATUS_IGNORE`, as an address; 0 is NULL. */
  readonly statusIgnore: number;
  /** Where the library is looked for: names for the loader, and where distributions put it. */
  readonly libraries: readonly string[];
  /** What to install. */
  readonly packages: string;
}

/** Folders of libraries on usual systems. */
function inFolders(file: string, folders: readonly string[]): string[] {
  return [file, ...folders.map((folder) => `${folder}/${file}`)];
}

const DEBIAN = ["/usr/lib/x86_64-linux-gnu", "/usr/lib/aarch64-linux-gnu"];

/** The implementations, in the order in which a library is compared with them. */
export const FLAVORS: readonly Flavor[] = [
  {
    name: "Open MPI",
    mark: "ompi_mpi_comm_world",
    handle: "pointer",
    handles: {
      MPI_COMM_WORLD: "ompi_mpi_comm_world",
      MPI_DOUBLE: "ompi_mpi_double",
      MPI_SUM: "ompi_mpi_op_sum",
      MPI_MIN: "ompi_mpi_op_min",
      MPI_MAX: "ompi_mpi_op_max",
      MPI_ERRORS_RETURN: "ompi_mpi_errors_return",
    },
    inPlace: 1,
    statusIgnore: 0,
    // Versions 4 and 5 have the same name.
    libraries: [
      ...inFolders("libmpi.so.40", [
        ...DEBIAN,
        "/usr/lib64/openmpi/lib",
        "/usr/local/lib",
        "/opt/openmpi/lib",
      ]),
      ...inFolders("libmpi.40.dylib", ["/opt/homebrew/lib", "/usr/local/lib"]),
      "libmpi.so",
    ],
    packages: "openmpi-bin (Debian, Ubuntu), openmpi (Fedora) or open-mpi (Homebrew)",
  },
  {
    name: "MPI ABI",
    mark: "MPI_Abi_get_version",
    handle: "usize",
    handles: {
      MPI_COMM_WORLD: 0x101,
      MPI_DOUBLE: 0x214,
      MPI_SUM: 0x21,
      MPI_MIN: 0x22,
      MPI_MAX: 0x23,
      MPI_ERRORS_RETURN: 0x142,
    },
    inPlace: 1,
    statusIgnore: 0,
    libraries: [
      ...inFolders("libmpi_abi.so.0", [...DEBIAN, "/usr/local/lib"]),
      "libmpi_abi.so",
      "libmpi_abi.dylib",
    ],
    packages: "an MPI of version 5 with libmpi_abi",
  },
  {
    name: "MPICH",
    mark: null,
    handle: "i32",
    handles: {
      MPI_COMM_WORLD: 0x44000000,
      MPI_DOUBLE: 0x4c00080b,
      MPI_SUM: 0x58000003,
      MPI_MIN: 0x58000002,
      MPI_MAX: 0x58000001,
      MPI_ERRORS_RETURN: 0x54000001,
    },
    inPlace: -1,
    statusIgnore: 1,
    libraries: [
      ...inFolders("libmpich.so.12", DEBIAN),
      ...inFolders("libmpi.so.12", ["/usr/lib64/mpich/lib", "/usr/local/lib", "/opt/mpich/lib"]),
      ...inFolders("libmpi.12.dylib", ["/opt/homebrew/lib", "/usr/local/lib"]),
    ],
    packages: "mpich (Debian, Ubuntu, Fedora, Homebrew)",
  },
];
