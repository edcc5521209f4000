// SPDX-License-Identifier: MIT
// The command line, by CLI11.
#include "app/command_line.h"

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cmath>
#include <map>
#include <string_view>
#include <vector>

namespace vgpuview {

namespace {

constexpr std::string_view sourceHelp =
    "UUID or mdev:UUID, pid:N, vm:NAME, fd:N, or test[:OPTIONS]; default: the only vGPU there is";

struct CommandName {
    std::string_view name;
    Command command;
};
constexpr std::array commandNames{
    CommandName{"list", Command::list},       CommandName{"probe", Command::probe},
    CommandName{"window", Command::window},   CommandName{"stream", Command::stream},
    CommandName{"monitor", Command::monitor}, CommandName{"shot", Command::shot},
    CommandName{"doctor", Command::doctor},
};

[[noreturn]] void wrongUsage(const std::string& cause, const std::string& command) {
    throw Error(EINVAL, {.operation = "understand",
                         .object = "the command line",
                         .cause = cause,
                         .hint = command.empty() ? "see vgpu-view --help" : "see vgpu-view " + command + " --help",
                         .exit = ExitCode::usage});
}

/// `vgpu-view [SOURCE] [...]` is `vgpu-view window [SOURCE] [...]`.
std::vector<std::string> withCommand(std::span<const char* const> arguments) {
    std::vector<std::string> words(arguments.begin(), arguments.end());
    static constexpr std::array<std::string_view, 4> globals{"--help", "-h", "--version", "-V"};
    const bool named = !words.empty() && (std::any_of(commandNames.begin(), commandNames.end(),
                                                      [&](const auto& c) { return c.name == words[0]; }) ||
                                          std::find(globals.begin(), globals.end(), words[0]) != globals.end());
    if (!named)
        words.insert(words.begin(), "window");
    return words;
}

/// Takes out `--help keys`, with which the other words only tell what is bound.
bool takeHelpOnKeys(std::vector<std::string>& words) {
    const auto help = std::adjacent_find(words.begin(), words.end(), [](const auto& first, const auto& second) {
        return first == "--help" && second == "keys";
    });
    if (help == words.end())
        return false;
    words.erase(help, help + 2);
    if (words.empty())
        words.emplace_back("window");
    return true;
}

void addSource(CLI::App& command, Options& options) {
    command.add_option("SOURCE", options.source, std::string(sourceHelp))->type_name("");
}

void addJson(CLI::App& command, Options& options) {
    command.add_flag_callback(
        "--json", [&options] { options.format = OutputFormat::json; }, "print JSON");
}

/// An option that takes one of a few words.
template<typename Value>
void addChoice(CLI::App& command, const std::string& option, const char* placeholder,
               const std::map<std::string, Value>& values, Value& target, const std::string& help) {
    std::vector<std::string> names;
    names.reserve(values.size());
    for (const auto& [name, value] : values)
        names.push_back(name);
    command
        .add_option_function<std::string>(
            option, [values, &target](const std::string& name) { target = values.at(name); }, help)
        ->type_name(placeholder)
        ->check(CLI::IsMember(names).description(""));
}

void addLogLevel(CLI::App& command, Options& options) {
    addChoice(command, "--log-level", "LEVEL",
              std::map<std::string, LogLevel>{{"error", LogLevel::error},
                                              {"warning", LogLevel::warning},
                                              {"info", LogLevel::info},
                                              {"debug", LogLevel::debug}},
              options.logLevel, "error, warning, info or debug");
}

void addRun(CLI::App& command, Options& options) {
    command.add_option("--seconds", options.seconds, "end after that long")
        ->type_name("N")
        ->check([](const std::string& text) {
            double value = 0;
            return CLI::detail::lexical_cast(text, value) && std::isfinite(value) && value > 0 && value <= 1e9
                       ? std::string()
                       : "--seconds wants a positive number, not " + text;
        });
    command.add_option("--frames", options.frames, "end after that many frames were handed on")
        ->type_name("N")
        ->check([](const std::string& text) {
            std::uint64_t value = 0;
            const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
            return error == std::errc{} && end == text.data() + text.size() && value > 0
                       ? std::string()
                       : "--frames wants a positive whole number, not " + text;
        });
    command.add_flag("--stats", options.stats, "a line a second on standard error");
    command.add_option("--report", options.reportPath, "write a JSON report at the end; - is standard output")
        ->type_name("FILE");
    command.add_flag_callback(
        "--wait", [&options] { options.absentSource = AbsentSource::waitFor; },
        "wait for the source to come, and to come back");
    addLogLevel(command, options);
}

/// Events to the guest, for sinks that a user sits before.
void addInput(CLI::App& command, Options& options) {
    InputOptions& input = options.input;
    CLI::Option* qmp = command.add_option("--qmp", input.qmpSocket, "events go to QEMU by this QMP socket")
                           ->type_name("PATH")
                           ->check([](const std::string& path) {
                               return path.empty() ? std::string("--qmp wants a path") : std::string();
                           });
    CLI::Option* dbus =
        command
            .add_option_function<std::string>(
                "--dbus",
                [&input](const std::string& text) { input.dbusAddress = text == "session" ? std::string() : text; },
                "events go to QEMU's display on this D-Bus")
            ->type_name("ADDRESS|session");
    CLI::Option* descriptor =
        command.add_option("--dbus-fd", input.dbusFd, "events go to QEMU's D-Bus display by an inherited socket")
            ->type_name("N")
            ->check(CLI::NonNegativeNumber.description(""));
    qmp->excludes(dbus, descriptor);
    dbus->excludes(descriptor);
    command.add_flag_callback(
        "--view-only", [&input] { input.interaction = Interaction::viewOnly; }, "never send the guest anything");
    // In the order of the command line, so that the last word on a key counts.
    command
        .add_option_function<std::vector<std::string>>(
            "--grab-key",
            [&input](const std::vector<std::string>& keys) {
                for (const std::string& key : keys)
                    input.hotKeys.addGrabKey(key);
            },
            "one more key that grabs and lets go, such as scroll_lock")
        ->type_name("KEY")
        ->allow_extra_args(false);
    command
        .add_option_function<std::vector<std::string>>(
            "--bind",
            [&input](const std::vector<std::string>& bindings) {
                for (const std::string& binding : bindings)
                    input.hotKeys.bind(binding);
            },
            "bind a hot key anew; --help keys lists them")
        ->type_name("ACTION=KEYS")
        ->allow_extra_args(false);
}

#if VGPUVIEW_WINDOW || VGPUVIEW_MONITOR
void addMode(CLI::App& command, const std::string& option, std::optional<ModeRequest>& target,
             const std::string& help) {
    command
        .add_option_function<std::string>(
            option, [&target](const std::string& text) { target = parseMode(text); }, help)
        ->type_name("WxH[@Hz]")
        ->check([](const std::string& text) { return parseMode(text) ? std::string() : "no such mode: " + text; });
}
#endif

#if VGPUVIEW_WINDOW
void addWindow(CLI::App& command, Options& options) {
    addChoice(command, "--scale", "MODE",
              std::map<std::string, ScaleMode>{{"fit", ScaleMode::fit},
                                               {"integer", ScaleMode::integer},
                                               {"stretch", ScaleMode::stretch},
                                               {"1:1", ScaleMode::oneToOne}},
              options.scale, "fit, integer, stretch, 1:1 (default: fit)");
    addChoice(command, "--resize", "MODE",
              std::map<std::string, GuestResize>{{"follow", GuestResize::follow}, {"fixed", GuestResize::fixed}},
              options.resize, "follow (default): the guest's resolution is the window's size; fixed: it keeps its own");
    addMode(command, "--size", options.size, "the guest's resolution and the window's size at the start");
    command.add_flag_callback(
        "--full-screen", [&options] { options.start = StartMode::fullScreen; }, "start in full screen (F11 leaves it)");
    addChoice(command, "--cursor", "WHO",
              std::map<std::string, CursorChoice>{{"auto", CursorChoice::automatic},
                                                  {"host", CursorChoice::host},
                                                  {"guest", CursorChoice::guest},
                                                  {"none", CursorChoice::none}},
              options.cursor, "who shows the guest's cursor: auto, host, guest, none (default: auto)");
    command.add_flag_callback(
        "--overlay", [&options] { options.overlay = StatisticsOverlay::shown; },
        "figures in a corner of the window (Ctrl+Alt+I toggles them)");
    addChoice(command, "--latency", "MODE",
              std::map<std::string, Latency>{{"normal", Latency::normal}, {"low", Latency::low}}, options.latency,
              "low: poll just before the compositor's deadline (default: normal)");
    command.add_flag_callback(
        "--tear", [&options] { options.tearing = ScreenTearing::allowed; },
        "show frames at once in full screen, where the compositor lets it");
    command.add_flag_callback(
        "--no-tear", [&options] { options.tearing = ScreenTearing::avoided; }, "show whole frames only (default)");
    command.add_flag_callback(
        "--require-zero-copy", [&options] { options.zeroCopy = ZeroCopy::required; },
        "exit code 6 where the compositor can't take the guest's buffers as they are");
}
#endif

#if VGPUVIEW_STREAM
/// What a stream takes wherever it is one: by itself or beside another sink.
std::vector<CLI::Option*> addNode(CLI::App& command, Options& options) {
    StreamOptions& stream = options.stream;
    CLI::Option* const name =
        command.add_option("--node-name", stream.nodeName, "the node's name (default: vgpu-view. and the vGPU's)")
            ->type_name("NAME");
    CLI::Option* const rate = command.add_option("--fps", stream.maxFps, "frames a second at most (default: 60)")
                                  ->type_name("N")
                                  ->check(CLI::Range(1, 1000).description(""));
    CLI::Option* const role =
        command
            .add_option_function<std::string>(
                "--role",
                [&options](const std::string& word) {
                    options.stream.role = word == "camera" ? StreamRole::camera : StreamRole::screen;
                    options.alsoCamera = word == "both";
                },
                "screen (default), camera: copies in YUY2 for applications that know only cameras, or both: a node "
                "each")
            ->type_name("WHAT")
            ->check(CLI::IsMember(std::vector<std::string>{"screen", "camera", "both"}).description(""));
    return {name, rate, role};
}

void addStream(CLI::App& command, Options& options) {
    StreamOptions& stream = options.stream;
    addNode(command, options);
    addChoice(command, "--cursor", "WHAT",
              std::map<std::string, CursorMode>{{"metadata", CursorMode::metadata},
                                                {"embedded", CursorMode::embedded},
                                                {"hidden", CursorMode::hidden}},
              stream.cursor, "metadata (default), embedded or hidden");
    command.add_flag_callback(
        "--no-tear", [&stream] { stream.tearing = Tearing::avoided; },
        "hand out copies that the guest does not draw in");
    command.add_flag_callback(
        "--exit-with-daemon", [&stream] { stream.daemonLoss = DaemonLoss::exit; },
        "end when the PipeWire daemon does, instead of waiting for it");
}
#endif

void addAlsoStream(CLI::App& command, Options& options) {
    CLI::Option* const also =
        command.add_flag("--stream", options.alsoStream, "offer it as a PipeWire video source besides");
#if VGPUVIEW_STREAM
    for (CLI::Option* option : addNode(command, options))
        option->needs(also);
#else
    static_cast<void>(also);
#endif
}

#if VGPUVIEW_MONITOR
void addMonitor(CLI::App& command, Options& options) {
    addMode(command, "--mode", options.monitor.mode,
            "the monitor's mode (default: the guest's size where the monitor has it)");
    command.add_option("--output", options.monitor.output, "use this monitor only (default: all)")->type_name("NAME");
    addChoice(command, "--scale", "MODE",
              std::map<std::string, MonitorScale>{
                  {"fit", MonitorScale::fit}, {"integer", MonitorScale::integer}, {"1:1", MonitorScale::original}},
              options.monitor.scale, "fit, integer, 1:1 (default: fit)");
    addChoice(command, "--resize", "MODE",
              std::map<std::string, MonitorEdid>{{"follow", MonitorEdid::follow}, {"fixed", MonitorEdid::fixed}},
              options.monitor.edid,
              "follow (default): the guest is told the monitor's resolution; fixed: it keeps its own");
    command.add_flag_callback(
        "--vrr", [&options] { options.monitor.variableRefresh = VariableRefresh::on; },
        "adaptive sync where the monitor has it");
}
#endif

std::string versionText() {
    return std::string("vgpu-view ") + VGPUVIEW_VERSION + "\n";
}

} // namespace

std::variant<Options, PrintAndExit> parseCommandLine(std::span<const char* const> arguments) {
    Options options;
    CLI::App app("Shows a virtual GPU's screen on its host.", "vgpu-view");
    app.set_version_flag("-V,--version", versionText());
    app.get_formatter()->label("SUBCOMMAND", "COMMAND");
    app.get_formatter()->label("Excludes", "not with");
    app.get_formatter()->label("Needs", "with");
    app.get_formatter()->column_width(34);
    app.require_subcommand(1);
    app.footer(
        "vgpu-view [SOURCE] is vgpu-view window [SOURCE]. Each command has its own --help; see also vgpu-view(1).\n"
        "Exit codes: 0 done, 1 failed, 2 wrong usage, 3 not found, 4 not permitted, 5 held by another, 6 not "
        "supported.");

    CLI::App* list = app.add_subcommand("list", "vGPUs on this host, who holds them, what they show");
    addJson(*list, options);
    addLogLevel(*list, options);

    CLI::App* probe = app.add_subcommand("probe", "planes, formats, modifiers, EDID limits and quirks of one vGPU");
    addSource(*probe, options);
    addJson(*probe, options);
    addLogLevel(*probe, options);

    CLI::App* window = app.add_subcommand("window", "show it in a Wayland window");
    addSource(*window, options);
#if VGPUVIEW_WINDOW
    addWindow(*window, options);
#endif
    addInput(*window, options);
    addAlsoStream(*window, options);
    addRun(*window, options);

    CLI::App* stream = app.add_subcommand("stream", "offer it as a PipeWire video source");
    addSource(*stream, options);
#if VGPUVIEW_STREAM
    addStream(*stream, options);
#endif
    addRun(*stream, options);

    CLI::App* monitor = app.add_subcommand("monitor", "show it full screen on a monitor, no desktop needed");
    addSource(*monitor, options);
#if VGPUVIEW_MONITOR
    addMonitor(*monitor, options);
#endif
    addInput(*monitor, options);
    addAlsoStream(*monitor, options);
    addRun(*monitor, options);

    CLI::App* shot = app.add_subcommand("shot", "save one picture as PNG");
    std::vector<std::string> shotWords;
    shot->add_option("SOURCE_AND_FILE", shotWords, "[SOURCE] FILE.png; - is standard output")
        ->expected(1, 2)
        ->type_name("")
        ->required();
    shot->add_flag("--cursor", options.pictureWithCursor, "draw the cursor in");
    addLogLevel(*shot, options);

    CLI::App* doctor = app.add_subcommand("doctor", "what is missing or forbidden on this host, and the cure");
    addSource(*doctor, options);
    addJson(*doctor, options);
    addLogLevel(*doctor, options);

    for (CLI::App* command : app.get_subcommands({}))
        command->group("Commands");

    std::vector<std::string> words = withCommand(arguments);
    const bool keysAsked = takeHelpOnKeys(words);
    const std::string commandName = words.front().starts_with('-') ? std::string() : words.front();
    std::reverse(words.begin(), words.end()); // CLI11 takes them last first
    try {
        app.parse(std::move(words));
    } catch (const CLI::CallForHelp&) {
        const auto chosen = app.get_subcommands();
        return PrintAndExit{chosen.empty() ? app.help() : chosen.front()->help("vgpu-view")};
    } catch (const CLI::CallForVersion&) {
        return PrintAndExit{versionText()};
    } catch (const CLI::ParseError& error) {
        wrongUsage(error.what(), commandName);
    }
    for (const CommandName& known : commandNames)
        if (known.name == commandName)
            options.command = known.command;
    if (keysAsked)
        return PrintAndExit{options.input.hotKeys.help()};
    if (options.command == Command::shot) {
        options.picturePath = shotWords.back();
        options.source = shotWords.size() == 2 ? shotWords.front() : std::string();
    }
    return options;
}

} // namespace vgpuview
