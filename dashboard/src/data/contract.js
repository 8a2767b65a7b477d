/**
 * The messages of bridge and hosts as types. `make generate` writes this file from `wire/`, which describes
 * each field. A message from the network may break its type, so check each field before you use it.
 */

/** The largest number that a bridge lets through, on either side of zero. */
export const MAX_MAGNITUDE = 1e24

/** @typedef {"live" | "late" | "lost" | "suspended" | "stopped" | "waiting"} HostState */

/** @typedef {"connected" | "connecting"} BrokerState */

/**
 * What every data message carries; all that a relay needs to read of one.
 * @typedef {object} Sample
 * @property {number} time UTC, seconds since the epoch, with milliseconds
 * @property {number} tick number of the sampling tick, the same in all its messages
 * @property {string} [session] random per agent start
 */

/**
 * One battery or UPS.
 * @typedef {object} Battery
 * @property {number} [charge_percent] charge
 * @property {boolean} [plugged] whether external power is connected
 * @property {number} [left_seconds] time until empty, while discharging; of a UPS also what it would last now
 * @property {number} [to_full_seconds] time until full, while charging
 * @property {string} [status] `charging`, `discharging`, `full` or `not-charging`
 * @property {number} [power_watts] power now, into it or out of it; of a UPS what its load draws
 * @property {number} [voltage_volts] voltage now
 * @property {number} [energy_watt_hours] energy in it now
 * @property {number} [energy_full_watt_hours] energy when full
 * @property {number} [energy_design_watt_hours] energy when full, by design
 * @property {number} [charge_ampere_hours] charge in it now, of a battery that does not report energy
 * @property {number} [charge_full_ampere_hours] charge when full
 * @property {number} [charge_design_ampere_hours] charge when full, by design
 * @property {number} [health_percent] charge when full, relative to the design
 * @property {number} [cycles] charge cycles
 * @property {boolean} [ups] `true` for a UPS, else absent
 * @property {string} [model] maker and model of a UPS
 * @property {number} [load_percent] load of a UPS, of what it can carry
 * @property {string[]} [warnings] warnings of a UPS
 */

/**
 * The agent's own work (group `collector`); the last message of every tick.
 * @typedef {object} CollectorReport
 * @property {number} time UTC, seconds since the epoch, with milliseconds
 * @property {number} tick number of the sampling tick, the same in all its messages
 * @property {Record<string, CollectorRun>} collectors by group
 * @property {number} [cpu_percent] the agent's own use of one core
 * @property {number} [resident_bytes] the agent's own resident memory
 * @property {number} [dropped_messages] messages dropped without a broker, since start
 * @property {number} [skipped_ticks] ticks missed because sampling took too long
 * @property {number} [internal_errors] unexpected errors of the agent, since start
 * @property {number} [slept_seconds] how long the host slept before this tick
 * @property {number} [clock_set_seconds] how far the clock was set before this tick; negative is back
 */

/**
 * The last run of one collector.
 * @typedef {object} CollectorRun
 * @property {"failed" | "late" | "ok"} state result of the run
 * @property {number} [duration_seconds] time it took
 * @property {string} [reason] why it failed or is late
 */

/**
 * Processor use, frequency and load.
 * @typedef {object} Cpu
 * @property {number} time UTC, seconds since the epoch, with milliseconds
 * @property {number} tick number of the sampling tick, the same in all its messages
 * @property {number} [total_percent] busy share of all cores
 * @property {number[]} [core_percents] busy share of each core
 * @property {number[]} [core_numbers] number of each core in the lists, unless they are 0, 1, 2, …: some are offline
 * @property {number} [user_percent] in user mode
 * @property {number} [nice_percent] in user mode with low priority
 * @property {number} [system_percent] in the kernel
 * @property {number} [idle_percent] doing nothing
 * @property {number} [iowait_percent] idle with input or output outstanding
 * @property {number} [irq_percent] serving interrupts
 * @property {number} [softirq_percent] serving software interrupts
 * @property {number} [steal_percent] taken by the hypervisor
 * @property {number} [guest_percent] running virtual machines
 * @property {number} [frequency_hertz] mean frequency of the cores now
 * @property {number} [frequency_min_hertz] lowest possible frequency
 * @property {number} [frequency_max_hertz] highest possible frequency
 * @property {number[]} [core_frequencies_hertz] frequency of each core now
 * @property {number} [load_1m] load average of 1 minute
 * @property {number} [load_5m] load average of 5 minutes
 * @property {number} [load_15m] load average of 15 minutes
 * @property {number} [context_switches_per_second] context switches
 * @property {number} [interrupts_per_second] interrupts
 * @property {Pressure} [pressure] time waited for a processor
 */

/**
 * Input and output of every block device, and of all disks, each byte counted once.
 * @typedef {object} Disk
 * @property {number} time UTC, seconds since the epoch, with milliseconds
 * @property {number} tick number of the sampling tick, the same in all its messages
 * @property {number} [read_bytes_per_second] read from all disks
 * @property {number} [write_bytes_per_second] written to all disks
 * @property {number} [read_total_bytes] read from all disks since boot
 * @property {number} [write_total_bytes] written to all disks since boot
 * @property {Record<string, DiskDevice>} devices by name, such as `sda`
 * @property {Pressure} [pressure] time waited for disks
 */

/**
 * One block device.
 * @typedef {object} DiskDevice
 * @property {number} [read_bytes_per_second] read
 * @property {number} [write_bytes_per_second] written
 * @property {number} [reads_per_second] read operations
 * @property {number} [writes_per_second] write operations
 * @property {number} [busy_percent] time with an operation in flight
 * @property {number} [read_total_bytes] read since boot
 * @property {number} [write_total_bytes] written since boot
 * @property {number} [read_total] read operations since boot
 * @property {number} [write_total] write operations since boot
 * @property {boolean} [in_total] whether it is part of the sums; a partition is part of its disk
 */

/**
 * One fan.
 * @typedef {object} Fan
 * @property {string} [chip] the chip it belongs to
 * @property {string} [label] what the chip calls it
 * @property {number} [speed_rpm] turns per minute
 * @property {boolean} [alarm] `true` while the chip raises an alarm, else absent
 */

/**
 * Every mounted filesystem with data, without those in memory (tmpfs), of the kernel or of an image.
 * @typedef {object} Filesystem
 * @property {number} time UTC, seconds since the epoch, with milliseconds
 * @property {number} tick number of the sampling tick, the same in all its messages
 * @property {Record<string, Mount>} mounts by mount point
 */

/**
 * GPUs; sent only by hosts with a GPU that the agent can read.
 * @typedef {object} Gpu
 * @property {number} time UTC, seconds since the epoch, with milliseconds
 * @property {number} tick number of the sampling tick, the same in all its messages
 * @property {Record<string, GpuDevice>} devices by PCI address, such as `0000:03:00.0`
 */

/**
 * One GPU. It has no values while it sleeps, or while the agent leaves it alone so that it can sleep.
 * @typedef {object} GpuDevice
 * @property {string} [name] name of the model
 * @property {string} [vendor] such as `AMD`, `Intel` or `NVIDIA`
 * @property {number} [index] number in `nvidia-smi`; for other makers, in the order of PCI addresses per maker
 * @property {"active" | "idle" | "suspended"} [state] `suspended`: asleep; `idle`: not read for a while, so that it can fall asleep
 * @property {number} [busy_percent] time with work
 * @property {number} [awake_percent] time not in the idle state RC6 of Intel: at least the time with work
 * @property {number} [memory_used_bytes] memory of its own in use
 * @property {number} [memory_total_bytes] memory of its own
 * @property {number} [memory_percent] memory of its own in use, of total
 * @property {number} [temperature_celsius] temperature of its hottest sensor
 * @property {number} [power_watts] electric power drawn
 * @property {number} [clock_hertz] frequency of its cores now
 * @property {number} [fan_percent] speed of its fan, of the highest
 * @property {number} [fan_rpm] turns of its fan per minute
 * @property {number} [process_count] processes that use it, as far as the agent may see them
 * @property {GpuProcess[]} [processes] the 20 of them with most memory, largest first; absent if the agent cannot see who uses it
 * @property {Record<string, GpuInstance>} [instances] MIG instances by ids of GPU instance and compute instance, such as `7/0`
 */

/**
 * One MIG instance: a part of an NVIDIA GPU with memory of its own.
 * @typedef {object} GpuInstance
 * @property {string} [profile] such as `1g.10gb`
 * @property {number} [memory_used_bytes] its memory in use
 * @property {number} [memory_total_bytes] its memory
 */

/**
 * One process that uses a GPU.
 * @typedef {object} GpuProcess
 * @property {number} pid process id
 * @property {string} [name] name of the program
 * @property {string} [user] owner
 * @property {number} [memory_bytes] memory of the GPU that it holds; system memory where the GPU has none of its own
 * @property {number} [busy_percent] time with work on the engine of the GPU that it uses most
 * @property {string} [container] container that it runs in: its name if known, else its short id
 * @property {string} [instance] MIG instance that it runs on, a key of `instances`
 */

/**
 * Memory and swap.
 * @typedef {object} Memory
 * @property {number} time UTC, seconds since the epoch, with milliseconds
 * @property {number} tick number of the sampling tick, the same in all its messages
 * @property {number} [total_bytes] memory of the host
 * @property {number} [available_bytes] can be given to programs without swapping
 * @property {number} [used_bytes] total less available
 * @property {number} [free_bytes] not used for anything
 * @property {number} [cached_bytes] page cache
 * @property {number} [buffers_bytes] buffers of block devices
 * @property {number} [shared_bytes] shared between processes
 * @property {number} [used_percent] total less available, of total
 * @property {number} [swap_total_bytes] swap of the host
 * @property {number} [swap_used_bytes] swap in use
 * @property {number} [swap_free_bytes] swap not in use
 * @property {number} [swap_percent] swap in use, of total
 * @property {number} [swap_in_bytes_per_second] read back from swap
 * @property {number} [swap_out_bytes_per_second] written to swap
 * @property {Pressure} [pressure] time waited for memory
 */

/**
 * One mounted filesystem.
 * @typedef {object} Mount
 * @property {string} [device] what is mounted
 * @property {string} [type] type of the filesystem
 * @property {number} [total_bytes] size
 * @property {number} [used_bytes] in use
 * @property {number} [free_bytes] free to ordinary users
 * @property {number} [used_percent] in use, relative to the space for ordinary users
 * @property {number} [inodes_percent] inodes in use
 */

/**
 * Traffic of every network interface, and its sums: what the wire carries, each byte once.
 * @typedef {object} Network
 * @property {number} time UTC, seconds since the epoch, with milliseconds
 * @property {number} tick number of the sampling tick, the same in all its messages
 * @property {Record<string, NetworkInterface>} interfaces by name, such as `eth0`
 * @property {number} [receive_bytes_per_second] received, each byte once
 * @property {number} [transmit_bytes_per_second] transmitted, each byte once
 * @property {number} [receive_total_bytes] received since boot; of an interface that comes later, since it came
 * @property {number} [transmit_total_bytes] transmitted since boot; of an interface that comes later, since it came
 * @property {Record<string, number>} [tcp_connections] TCP sockets by state, such as `established`
 */

/**
 * One network interface.
 * @typedef {object} NetworkInterface
 * @property {number} [receive_bytes_per_second] received
 * @property {number} [transmit_bytes_per_second] transmitted
 * @property {number} [receive_packets_per_second] packets received
 * @property {number} [transmit_packets_per_second] packets transmitted
 * @property {number} [receive_total_bytes] received since boot
 * @property {number} [transmit_total_bytes] transmitted since boot
 * @property {number} [receive_packets_total] packets received since boot
 * @property {number} [transmit_packets_total] packets transmitted since boot
 * @property {number} [receive_errors_total] receive errors since boot
 * @property {number} [transmit_errors_total] transmit errors since boot
 * @property {number} [receive_drops_total] received and dropped since boot
 * @property {number} [transmit_drops_total] dropped before transmission since boot
 * @property {boolean} [up] whether the interface is up
 * @property {number} [speed_bytes_per_second] speed of the link
 * @property {number} [signal_dbm] signal of the Wi-Fi
 * @property {boolean} [in_total] whether it is part of the sums; a bridge carries what its ports do
 */

/**
 * Batteries and UPSes; sent only by hosts that have one.
 * @typedef {object} Power
 * @property {number} time UTC, seconds since the epoch, with milliseconds
 * @property {number} tick number of the sampling tick, the same in all its messages
 * @property {Record<string, Battery>} batteries by name, such as `BAT0`
 */

/**
 * Pressure stall information of Linux: share of time in which tasks waited (kernel: accounting/psi).
 * @typedef {object} Pressure
 * @property {number} [some_10s_percent] some task waited, mean of 10 s
 * @property {number} [some_60s_percent] some task waited, mean of 60 s
 * @property {number} [some_300s_percent] some task waited, mean of 300 s
 * @property {number} [full_10s_percent] all tasks waited, mean of 10 s
 * @property {number} [full_60s_percent] all tasks waited, mean of 60 s
 * @property {number} [full_300s_percent] all tasks waited, mean of 300 s
 */

/**
 * The number of processes, and the largest.
 * @typedef {object} Process
 * @property {number} time UTC, seconds since the epoch, with milliseconds
 * @property {number} tick number of the sampling tick, the same in all its messages
 * @property {number} count processes
 * @property {Record<string, number>} states processes by state, such as `sleeping`
 * @property {ProcessEntry[]} top_cpu the largest by CPU, largest first
 * @property {ProcessEntry[]} top_memory the largest by memory, largest first
 */

/**
 * One process.
 * @typedef {object} ProcessEntry
 * @property {number} pid process id
 * @property {string} name name of the program
 * @property {string} [user] owner
 * @property {number} [cpu_percent] of one core, as in top: can exceed 100
 * @property {number} [memory_percent] resident memory, relative to the host's memory
 * @property {number} [resident_bytes] resident memory
 * @property {number} [threads] threads
 */

/**
 * Every temperature and every fan.
 * @typedef {object} Sensor
 * @property {number} time UTC, seconds since the epoch, with milliseconds
 * @property {number} tick number of the sampling tick, the same in all its messages
 * @property {Record<string, Temperature>} temperatures by `chip/label`
 * @property {Record<string, Fan>} [fans] by `chip/label`
 * @property {Throttling} [throttling] causes that slow down a Raspberry Pi
 */

/**
 * One temperature sensor.
 * @typedef {object} Temperature
 * @property {string} [chip] the chip it belongs to
 * @property {string} [label] what the chip calls it
 * @property {number} [current_celsius] now
 * @property {number} [high_celsius] high from here
 * @property {number} [critical_celsius] critical from here
 * @property {boolean} [alarm] `true` while the chip raises an alarm, else absent
 */

/**
 * The causes that slow down the processor of a Raspberry Pi.
 * @typedef {object} Throttling
 * @property {string[]} now causes at this moment; empty if there are none
 * @property {string[]} since_boot causes at any time since boot
 */

/**
 * Headline numbers of one tick, one message per host.
 * @typedef {object} Pulse
 * @property {number} time UTC, seconds since the epoch, with milliseconds
 * @property {number} tick number of the sampling tick, the same in all its messages
 * @property {number} [cpu_percent] busy share of all cores
 * @property {number} [load_1m] load average of 1 minute
 * @property {number} [memory_percent] memory in use
 * @property {number} [swap_percent] swap in use
 * @property {number} [filesystem_percent] use of the fullest filesystem
 * @property {number} [disk_read_bytes_per_second] read from all disks
 * @property {number} [disk_write_bytes_per_second] written to all disks
 * @property {number} [network_receive_bytes_per_second] received; each byte on the wire counts once
 * @property {number} [network_transmit_bytes_per_second] transmitted; each byte on the wire counts once
 * @property {number} [temperature_celsius] the hottest sensor below 150 °C
 * @property {number} [gpu_percent] the busiest GPU
 * @property {number} [battery_percent] charge of the battery
 * @property {number} [process_count] processes
 * @property {number} [failed_units] units of systemd that failed
 * @property {string} session random per agent start
 * @property {number[]} [core_percents] busy share of each core, whole numbers, at most 64
 * @property {number[]} [core_numbers] number of each core in `core_percents`, unless they are 0, 1, 2, …
 * @property {number} [uptime_seconds] time since boot
 */

/**
 * What a field of a group means, for readers that do not know the group.
 * @typedef {object} FieldInfo
 * @property {string} [unit] unit of the number
 * @property {number} [limit] highest possible value
 */

/**
 * One group that a host publishes.
 * @typedef {object} GroupInfo
 * @property {number} interval_seconds time between two messages
 * @property {Record<string, FieldInfo>} [fields] numeric fields by name
 */

/**
 * The facts of a host that do not change from second to second.
 * @typedef {object} Info
 * @property {number} time UTC, seconds since the epoch, with milliseconds
 * @property {string} session random per agent start
 * @property {string} host_name host name of the system
 * @property {string} agent_version version of the agent
 * @property {number} interval_seconds time between two ticks
 * @property {Record<string, GroupInfo>} groups the groups published under `live/`
 * @property {string} [machine_id_hash] a stable hash that reveals no secret
 * @property {string} [os_name] such as `Debian GNU/Linux 12 (bookworm)`
 * @property {string} [kernel] such as `Linux 6.1.0-18-amd64`
 * @property {string} [architecture] such as `x86_64`
 * @property {string} [python_version] the agent's Python
 * @property {string} [manufacturer] manufacturer of the machine
 * @property {string} [model] the manufacturer's name for the model
 * @property {string} [cpu_model] name of the processor
 * @property {number} [physical_cores] cores
 * @property {number} [logical_cores] threads of all cores
 * @property {number} [memory_total_bytes] memory
 * @property {number} [swap_total_bytes] swap
 * @property {number} [boot_time] UTC, seconds since the epoch
 * @property {number} [pending_updates] package updates that wait
 * @property {number} [security_updates] those of them that fix security
 * @property {number} [updates_time] last refresh of the package lists: UTC, seconds since the epoch
 * @property {boolean} [reboot_required] the system asks for a reboot, or a newer kernel is installed than runs
 * @property {Record<string, string[]>} [addresses] IP addresses by network interface
 * @property {Record<string, string[]>} [networks] the same with the length of the network's prefix, such as `192.0.2.9/24`
 * @property {Record<string, string>} [mac_addresses] hardware addresses by network interface
 * @property {string} [main_address] source address of the default route
 * @property {Record<string, string[]>} [devices] names of the devices found, by group
 * @property {string[]} [tags] labels given by the user
 * @property {string} [container] what runs the container that the agent shows instead of its host, such as `docker`
 * @property {boolean} [synthetic] a simulated host, not a real one
 * @property {boolean} [demand] the agent accepts leases on `demand`
 * @property {string} [conflict] session of another machine that publishes under this host id
 */

/**
 * Containers of Docker or Podman; sent only with `containers: true`.
 * @typedef {object} Container
 * @property {number} time UTC, seconds since the epoch, with milliseconds
 * @property {number} tick number of the sampling tick, the same in all its messages
 * @property {Record<string, ContainerEntry>} containers by name, including stopped containers
 */

/**
 * One container.
 * @typedef {object} ContainerEntry
 * @property {string} [image] the image it was made of
 * @property {string} [state] such as `running` or `exited`
 * @property {string} [health] result of its health check, if it has one
 * @property {number} [cpu_percent] of one core, as in top: can exceed 100
 * @property {number} [memory_used_bytes] memory, without unused file cache
 * @property {number} [memory_limit_bytes] memory limit, if there is one
 * @property {number} [memory_percent] memory in use, relative to its limit
 * @property {number} [network_receive_bytes_per_second] received, without loopback
 * @property {number} [network_transmit_bytes_per_second] transmitted, without loopback
 * @property {number} [disk_read_bytes_per_second] read from block devices
 * @property {number} [disk_write_bytes_per_second] written to block devices
 * @property {number} [restarts] times its restart policy has started it again
 * @property {number} [started_time] start: UTC, seconds since the epoch
 */

/**
 * Units of systemd; sent only with the setting `units`.
 * @typedef {object} Unit
 * @property {number} time UTC, seconds since the epoch, with milliseconds
 * @property {number} tick number of the sampling tick, the same in all its messages
 * @property {number} failed_count units that failed
 * @property {string[]} failed units that failed, by name, at most 100
 * @property {Record<string, UnitEntry>} units the watched units by name
 */

/**
 * One unit of systemd.
 * @typedef {object} UnitEntry
 * @property {string} [load_state] such as `loaded` or `not-found`
 * @property {string} [active_state] such as `active` or `failed`
 * @property {string} [sub_state] such as `running` or `dead`
 * @property {number} [since_time] last change: UTC, seconds since the epoch
 * @property {number} [memory_bytes] memory of all its processes
 * @property {number} [cpu_percent] of one core, as in top: can exceed 100
 * @property {number} [restarts] times systemd has started it again
 */

/**
 * Health of disks, arrays and pools; sent only with `storage: true`.
 * @typedef {object} Storage
 * @property {number} time UTC, seconds since the epoch, with milliseconds
 * @property {number} tick number of the sampling tick, the same in all its messages
 * @property {Record<string, StorageDisk>} disks by name, such as `sda` or `nvme0`
 * @property {Record<string, StorageArray>} [arrays] by name, such as `md0`, `btrfs/data` or `zfs/tank`
 */

/**
 * One array of Linux (md), filesystem of btrfs, or pool of ZFS.
 * @typedef {object} StorageArray
 * @property {string} [type] `md`, `btrfs` or `zfs`
 * @property {string} [level] such as `raid1`
 * @property {"degraded" | "failed" | "ok"} [health] `degraded`: works without some of its devices or data
 * @property {string} [state] the system's word, such as `clean` or `degraded`
 * @property {number} [devices] devices that it is made for
 * @property {number} [degraded_devices] devices that are missing or failed
 * @property {number} [size_bytes] capacity
 * @property {string} [sync_action] what runs now, such as `resync`, `recover`, `check`, `scrub`, `resilver`
 * @property {number} [sync_percent] how much of it is done
 * @property {number} [read_errors] errors of its devices while reading
 * @property {number} [write_errors] errors of its devices while writing
 * @property {number} [checksum_errors] data that did not match its checksum
 * @property {number} [data_errors] damaged data that could not be repaired
 */

/**
 * One disk. A disk in standby is never woken: it keeps the values of `read_time`.
 * @typedef {object} StorageDisk
 * @property {"active" | "standby" | "unreadable" | "unsupported"} [state] `active`: read; `standby`: asleep; `unsupported`: tells nothing; `unreadable`
 * @property {string} [reason] why it is unsupported or unreadable
 * @property {number} [read_time] when the values were read: UTC, seconds since the epoch
 * @property {"failed" | "passed"} [health] the disk's own verdict on itself
 * @property {string[]} [warnings] what the disk warns of, such as `spare-low`, `read-only`, `self-test-failed`
 * @property {string} [kind] `hdd`, `ssd`, `nvme`, `emmc` or `sd`
 * @property {string} [model] name of the model
 * @property {string} [serial_end] last four characters of the serial number
 * @property {number} [size_bytes] capacity
 * @property {number} [wear_percent] share of the rated endurance that is used: can exceed 100
 * @property {number} [spare_percent] spare blocks left
 * @property {number} [spare_threshold_percent] spare blocks below which it warns
 * @property {number} [temperature_celsius] temperature
 * @property {number} [power_on_seconds] time it has been switched on
 * @property {number} [power_cycles] times it was switched on
 * @property {number} [unsafe_shutdowns] times it lost power without warning
 * @property {number} [reallocated_sectors] bad sectors that were replaced by spares
 * @property {number} [pending_sectors] sectors that could not be read lately
 * @property {number} [uncorrectable_sectors] sectors that could not be read in a check of the whole disk
 * @property {number} [media_errors] errors that the disk could not correct
 * @property {number} [interface_errors] transfers damaged on the way, as by a bad cable
 * @property {number} [error_log_entries] errors that its log has counted
 * @property {number} [read_total_bytes] read by the host since it was made
 * @property {number} [write_total_bytes] written by the host since it was made
 */

/**
 * Viewer: first message, within 5 s.
 * @typedef {object} Hello
 * @property {"hello"} type
 * @property {number} protocol
 * @property {string | null} [token]
 */

/**
 * Viewer: the whole selection; it replaces the previous one.
 * @typedef {object} Watch
 * @property {"watch"} type
 * @property {boolean} [fleet]
 * @property {boolean} [summaries]
 * @property {Record<string, string[] | "*">} [hosts]
 * @property {number} [history]
 */

/**
 * Viewer: requests a `pong` with the same id.
 * @typedef {object} Ping
 * @property {"ping"} type
 * @property {number | string} id
 */

/**
 * What the bridge allows a viewer.
 * @typedef {object} Limits
 * @property {number} message_bytes
 * @property {number} hosts
 * @property {number} history_seconds
 */

/**
 * Bridge: the answer to `hello`. `time` is the bridge's clock, `sites_away` as in `broker`.
 * @typedef {object} Welcome
 * @property {"welcome"} type
 * @property {number} protocol
 * @property {string} version
 * @property {number} time
 * @property {BrokerState} broker
 * @property {number} broker_since
 * @property {Record<string, number>} sites_away
 * @property {number} viewers
 * @property {Limits} limits
 */

/**
 * An entry in the bridge's list of expected hosts; `{}` if the list contains only the host's id.
 * @typedef {object} ExpectedFacts
 * @property {string} [name]
 * @property {string[]} [tags]
 * @property {string} [notes]
 */

/**
 * One host as the bridge knows it. `since` is the time at which its state began, by the bridge's clock.
 * @typedef {object} HostEntry
 * @property {string} id
 * @property {HostState} state
 * @property {number} since
 * @property {ExpectedFacts} [expected]
 * @property {boolean} [cut_off]
 * @property {Info} [info]
 * @property {Pulse} [pulse]
 */

/**
 * Bridge: every host, after `welcome`; each `info` is without `INFO_OF_WATCHED`.
 * @typedef {object} FleetFrame
 * @property {"fleet"} type
 * @property {number} time
 * @property {HostEntry[]} hosts
 */

/**
 * How the pulses of one host reach the bridge. Counts start when the bridge first hears the host.
 * @typedef {object} Delivery
 * @property {number} age_seconds
 * @property {number} latency_seconds
 * @property {number} jitter_seconds
 * @property {number} clock_offset_seconds
 * @property {number} received_total
 * @property {number} lost_total
 * @property {number} late_total
 * @property {number} duplicate_total
 * @property {number} backfilled_total
 */

/**
 * Bridge: one host changed its state or its info, or was removed. Sent to every viewer.
 * @typedef {object} HostChange
 * @property {"host"} type
 * @property {string} id
 * @property {HostState} [state]
 * @property {number} [since]
 * @property {ExpectedFacts} [expected]
 * @property {boolean} [cut_off]
 * @property {Info} [info]
 * @property {Delivery} [delivery]
 * @property {unknown} [pulse]
 * @property {boolean} [removed]
 */

/**
 * Bridge: the pulses that came since the last such frame, one frame per second.
 * @typedef {object} PulseFrame
 * @property {"pulse"} type
 * @property {number} time
 * @property {Record<string, Pulse>} hosts
 */

/**
 * Bridge: the `summary` of one host.
 * @typedef {object} SummaryFrame
 * @property {"summary"} type
 * @property {string} host
 * @property {unknown} summary
 */

/**
 * Bridge: the groups of one host and tick.
 * @typedef {object} LiveFrame
 * @property {"live"} type
 * @property {string} host
 * @property {Samples} samples
 */

/**
 * Bridge: the past of one host by group, oldest first; the group `pulse` has the pulses.
 * @typedef {object} History
 * @property {"history"} type
 * @property {string} host
 * @property {Record<string, Sample[]>} samples
 * @property {boolean} [more]
 */

/**
 * Bridge: its connection to the broker changed, or the connection of a site's broker to this one.
 * @typedef {object} BrokerChange
 * @property {"broker"} type
 * @property {BrokerState} state
 * @property {number} since
 * @property {Record<string, number>} sites_away
 */

/**
 * Bridge: something the viewer should know.
 * @typedef {object} Notice
 * @property {"notice"} type
 * @property {"slow"} code
 * @property {string} text
 */

/**
 * Bridge: the viewer's last message was refused.
 * @typedef {object} Refusal
 * @property {"error"} type
 * @property {"bad_message" | "bad_protocol" | "bad_token" | "hello_expected" | "too_many_viewers"} code
 * @property {string} text
 */

/**
 * Bridge: the answer to `ping`. `time` is the bridge's clock.
 * @typedef {object} Pong
 * @property {"pong"} type
 * @property {number | string} id
 * @property {number} time
 */

/**
 * The groups that the page knows.
 * @typedef {object} KnownGroups
 * @property {Cpu} [cpu]
 * @property {Memory} [memory]
 * @property {Disk} [disk]
 * @property {Filesystem} [filesystem]
 * @property {Network} [network]
 * @property {Sensor} [sensor]
 * @property {Power} [power]
 * @property {Gpu} [gpu]
 * @property {Process} [process]
 * @property {Container} [container]
 * @property {Unit} [unit]
 * @property {Storage} [storage]
 * @property {CollectorReport} [collector]
 */

/** @typedef {KnownGroups & Record<string, Sample>} Samples */

/** @typedef {Welcome | FleetFrame | HostChange | PulseFrame | SummaryFrame | LiveFrame | History | BrokerChange | Notice | Refusal | Pong} BridgeMessage */
