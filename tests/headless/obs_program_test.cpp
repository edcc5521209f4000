// SPDX-License-Identifier: MIT
// The real OBS program with a prepared scene: what it records of the test vGPU is, pixel for pixel, what that showed.
#include "obs_host.h"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>
#include <thread>

namespace vgpuview::headless {
namespace {

using namespace std::chrono_literals;
namespace fs = std::filesystem;

constexpr auto patience = 240s; // emulated machines are slow
constexpr Size canvas{640, 480};
constexpr std::uintmax_t recordedEnough = 8 << 20;

bool installed(const std::string& program) {
    return std::system(("command -v " + program + " >/dev/null 2>&1").c_str()) == 0;
}

/// A home of OBS' own with one profile, which records without loss, and one scene with one source.
class ObsHome {
public:
    ObsHome() {
        std::string pattern = (fs::temp_directory_path() / "vgpu-view-obs-XXXXXX").string();
        if (::mkdtemp(pattern.data()))
            folder_ = pattern;
    }
    ObsHome(const ObsHome&) = delete;
    ObsHome& operator=(const ObsHome&) = delete;
    ~ObsHome() {
        std::error_code ignored;
        fs::remove_all(folder_, ignored);
    }

    /// source: what the scene shows, an item of OBS' list of sources.
    void fill(const std::string& source) const {
        const fs::path config = folder_ / ".config/obs-studio";
        const fs::path plugin = config / "plugins/vgpu-capture";
        for (const fs::path& made : {plugin / "bin/64bit", config / "basic/profiles/Test", config / "basic/scenes",
                                     folder_ / "run", recordings()})
            fs::create_directories(made);
        fs::permissions(folder_ / "run", fs::perms::owner_all);
        fs::create_symlink(VGPUVIEW_OBS_MODULE, plugin / "bin/64bit/vgpu-capture.so");
        fs::create_directory_symlink(VGPUVIEW_OBS_DATA, plugin / "data");
        std::ofstream(config / "global.ini")
            << "[General]\nFirstRun=true\nLastVersion=503316480\n"
               "EnableAutoUpdates=false\nConfirmOnExit=false\n[Basic]\nProfile=Test\nProfileDir=Test\n"
               "SceneCollection=Test\nSceneCollectionFile=Test\n";
        std::ofstream(config / "basic/profiles/Test/basic.ini")
            << "[General]\nName=Test\n[Output]\nMode=Advanced\n[AdvOut]\nRecType=FFmpeg\nFFOutputToFile="
               "true\nFFFilePath="
            << recordings().string()
            << "\nFFExtension=mkv\nFFFormat=matroska\nFFVEncoder=ffv1\nFFVEncoderId=33\nFFAEncoder=pcm_s16le\n"
               "FFAEncoderId=65536\n[Video]\nBaseCX=640\nBaseCY=480\nOutputCX=640\nOutputCY=480\nFPSCommon=30\n"
               "ColorFormat=RGB\nColorSpace=sRGB\nColorRange=Full\n";
        std::ofstream(config / "basic/scenes/Test.json")
            << R"({"name":"Test","current_scene":"Scene","current_program_scene":"Scene","scene_order":[{"name":"Scene"}],)"
            << R"("sources":[)" << source
            << R"(,{"id":"scene","name":"Scene","settings":{"items":[{"name":"Guest","id":1,"visible":true,)"
            << R"("pos":{"x":0.0,"y":0.0},"scale":{"x":1.0,"y":1.0},"align":5,"bounds_type":0,"rot":0.0}]}}]})";
    }
    [[nodiscard]] const fs::path& folder() const noexcept { return folder_; }
    [[nodiscard]] fs::path recordings() const { return folder_ / "recordings"; }
    [[nodiscard]] fs::path log() const { return folder_ / "obs.log"; }
    /// What there is of the recording so far.
    [[nodiscard]] fs::path recording() const {
        for (const auto& entry : fs::directory_iterator(recordings()))
            return entry.path();
        return {};
    }

private:
    fs::path folder_;
};

enum class Recording { on, off };

class ObsProgram {
public:
    ObsProgram(const ObsHome& home, Recording recording) {
        const std::string folder = home.folder().string();
        // A shell for the environment and the log; exec, so that the id is the program's own.
        const std::string line =
            "export HOME='" + folder + "' LC_ALL=C.UTF-8 XDG_CONFIG_HOME='" + folder + "/.config';" +
            " [ -n \"$WAYLAND_DISPLAY\" ] || export XDG_RUNTIME_DIR=\"$HOME/run\";" +
            " exec obs --multi --collection Test --profile Test --disable-updater --disable-missing-files-check" +
            (recording == Recording::on ? " --startrecording" : "") + " >'" + home.log().string() + "' 2>&1";
        const char* command[] = {"sh", "-c", line.c_str(), nullptr};
        if (::posix_spawnp(&pid_, "sh", nullptr, nullptr, const_cast<char**>(command), environ) != 0)
            pid_ = -1;
    }
    ObsProgram(const ObsProgram&) = delete;
    ObsProgram& operator=(const ObsProgram&) = delete;
    ~ObsProgram() {
        if (pid_ > 0) {
            ::kill(pid_, SIGKILL);
            ::waitpid(pid_, nullptr, 0);
        }
    }

    [[nodiscard]] bool ended() {
        if (pid_ > 0 && ::waitpid(pid_, &status_, WNOHANG) == pid_)
            pid_ = -1;
        return pid_ <= 0;
    }
    /// Ends it as Ctrl+C does. Whether it ended by itself and in order.
    [[nodiscard]] bool quit() {
        ::kill(pid_, SIGINT);
        const auto deadline = std::chrono::steady_clock::now() + 8s;
        while (!ended() && std::chrono::steady_clock::now() < deadline)
            std::this_thread::sleep_for(20ms);
        return pid_ <= 0 && WIFEXITED(status_) && WEXITSTATUS(status_) == 0;
    }

private:
    pid_t pid_ = -1;
    int status_ = 0;
};

std::string vgpuCapture(const std::string& address) {
    return R"({"id":"vgpu_capture","name":"Guest","settings":{"device":"other","address":")" + address + R"("}})";
}

std::string textOf(const fs::path& file) {
    std::ifstream stream(file);
    return {std::istreambuf_iterator<char>(stream), std::istreambuf_iterator<char>()};
}

template<typename Condition>
bool await(ObsProgram& obs, Condition condition) {
    const auto deadline = std::chrono::steady_clock::now() + patience;
    while (!condition()) {
        if (obs.ended() || std::chrono::steady_clock::now() > deadline)
            return false;
        std::this_thread::sleep_for(50ms);
    }
    return true;
}

/// Records the vGPU for a while. OBS is not asked to stop: version 29's lossless encoder is freed under the thread that
/// feeds it.
bool record(const ObsHome& home, const std::string& address) {
    home.fill(vgpuCapture(address));
    ObsProgram obs(home, Recording::on);
    return await(obs, [&] {
        const fs::path file = home.recording();
        return !file.empty() && fs::file_size(file) >= recordedEnough;
    });
}

/// For tests that are not in this process: the recording goes to a file.
int recordTo(const std::string& address, const fs::path& file) {
    const Screen screen;
    const ObsHome home;
    const bool recorded = screen.trouble().empty() && record(home, address);
    std::fputs((screen.trouble() + textOf(home.log())).c_str(), stderr);
    if (recorded)
        fs::copy_file(home.recording(), file);
    return recorded ? 0 : 1;
}

constexpr const char* colour =
    R"({"id":"color_source_v3","name":"Guest","settings":{"width":640,"height":480,"color":4278255615}})";

class ObsProgramTest : public testing::Test {
protected:
    void SetUp() override {
        for (const char* program : {"obs", "ffmpeg"})
            if (!installed(program))
                GTEST_SKIP() << program << " is not installed";
        if (!screen_.trouble().empty())
            GTEST_SKIP() << screen_.trouble();
    }
    /// Shows the source and quits: what OBS then says of memory that nobody freed. Of its own, whatever its sources, it
    /// may hang in Xlib when it quits, as two of its threads share a display that is not locked: three attempts.
    static std::string leaksWith(const std::string& source, const char* shown) {
        for (unsigned attempt = 0; attempt < 3; ++attempt) {
            const ObsHome home;
            home.fill(source);
            ObsProgram obs(home, Recording::off);
            EXPECT_TRUE(await(obs, [&] { return textOf(home.log()).find(shown) != std::string::npos; }))
                << textOf(home.log());
            if (!obs.quit())
                continue;
            const std::string log = textOf(home.log());
            const std::size_t line = log.find("Number of memory leaks");
            return line == std::string::npos ? log : log.substr(line, log.find('\n', line) - line);
        }
        return "OBS did not quit";
    }

    const Screen screen_;
};

TEST_F(ObsProgramTest, RecordsWhatTheGuestShows) {
    const ObsHome home;
    ASSERT_TRUE(record(home, "test:640x480@30")) << textOf(home.log());
    EXPECT_NE(textOf(home.log()).find("[vgpu-capture] 'Guest': opened test:640x480@30"), std::string::npos);

    const std::string decode =
        "ffmpeg -loglevel error -i '" + home.recording().string() + "' -f rawvideo -pix_fmt bgra - 2>/dev/null";
    const std::unique_ptr<std::FILE, int (*)(std::FILE*)> pictures(::popen(decode.c_str(), "r"), ::pclose);
    ASSERT_TRUE(pictures);
    Picture picture{canvas, std::vector<std::uint32_t>(std::size_t{canvas.width} * canvas.height)};
    unsigned shown = 0;
    while (std::fread(picture.argb.data(), 4, picture.argb.size(), pictures.get()) == picture.argb.size()) {
        // The first ones may be older than the source's first picture.
        if (shown == 0 && (picture.argb.back() & 0xffffff) == 0)
            continue;
        for (std::uint32_t& pixel : picture.argb)
            pixel |= 0xff000000U;
        ++shown;
        ASSERT_TRUE(isPattern(picture, {})) << "picture " << shown;
    }
    EXPECT_GT(shown, 10U);
}

TEST_F(ObsProgramTest, QuitsInOrderAndLeaksNoMoreThanWithoutIt) {
    const std::string without = leaksWith(colour, "Loaded scenes:");
    EXPECT_NE(without.find("Number of memory leaks"), std::string::npos) << without;
    EXPECT_EQ(leaksWith(vgpuCapture("test:640x480@30"), "test:640x480@30: 640x480"), without);
}

} // namespace
} // namespace vgpuview::headless

/// obs_program --record SOURCE FILE
int main(int argc, char** argv) {
    testing::InitGoogleTest(&argc, argv);
    if (argc == 4 && std::string(argv[1]) == "--record")
        return vgpuview::headless::recordTo(argv[2], argv[3]);
    return RUN_ALL_TESTS();
}
