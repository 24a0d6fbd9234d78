#pragma once

#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>

#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

namespace sluice {

/// Serves one file on the loopback interface, with a new thread for each answer.
class HttpServer {
 public:
  HttpServer(std::string body, bool knows_ranges) : body_(std::move(body)), ranges_(knows_ranges) {
    socket_ = socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    auto* raw = reinterpret_cast<sockaddr*>(&address);
    socklen_t size = sizeof address;
    if (bind(socket_, raw, size) != 0 || listen(socket_, 4) != 0 ||
        getsockname(socket_, raw, &size) != 0) {
      throw std::runtime_error("cannot listen on the loopback interface");
    }
    port_ = ntohs(address.sin_port);
    thread_ = std::thread([this] { serve(); });
  }
  ~HttpServer() {
    shutdown(socket_, SHUT_RDWR);  // ends accept()
    thread_.join();
    close(socket_);
  }
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;

  std::string url() const { return "http://127.0.0.1:" + std::to_string(port_) + "/file"; }
  /// Returns the status of every answer so far; call it when no request is open.
  const std::vector<int>& statuses() const { return statuses_; }

 private:
  void serve() {
    for (int peer; (peer = accept(socket_, nullptr, nullptr)) >= 0; close(peer)) {
      std::string request;
      char buffer[4096];
      while (request.find("\r\n\r\n") == std::string::npos) {
        const ssize_t count = recv(peer, buffer, sizeof buffer, 0);
        if (count <= 0) break;
        request.append(buffer, static_cast<std::size_t>(count));
      }
      const std::string answer = answer_to(request);
      for (std::size_t sent = 0; sent < answer.size();) {
        const ssize_t count = send(peer, answer.data() + sent, answer.size() - sent, MSG_NOSIGNAL);
        if (count <= 0) break;
        sent += static_cast<std::size_t>(count);
      }
    }
  }

  std::string answer_to(const std::string& request) {
    const std::string kRange = "Range: bytes=";
    const std::size_t at = ranges_ ? request.find(kRange) : std::string::npos;
    const std::string total = std::to_string(body_.size());
    std::string head;
    std::string rest = body_;
    if (at == std::string::npos) {
      statuses_.push_back(200);
      head = "HTTP/1.1 200 OK\r\n";
    } else if (const std::size_t from = std::stoul(request.substr(at + kRange.size()));
               from < body_.size()) {
      statuses_.push_back(206);
      rest = body_.substr(from);
      head = "HTTP/1.1 206 Partial Content\r\nContent-Range: bytes " + std::to_string(from) + "-" +
             std::to_string(body_.size() - 1) + "/" + total + "\r\n";
    } else {
      statuses_.push_back(416);
      rest = "no such range";
      head = "HTTP/1.1 416 Range Not Satisfiable\r\nContent-Range: bytes */" + total + "\r\n";
    }
    return head + "Content-Length: " + std::to_string(rest.size()) +
           "\r\nConnection: close\r\n\r\n" + rest;
  }

  std::string body_;
  bool ranges_;
  int socket_ = -1;
  int port_ = 0;
  std::vector<int> statuses_;
  std::thread thread_;
};

}  // namespace sluice
